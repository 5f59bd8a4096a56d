# `make demo` and `make test` set up everything they need in .venv, once.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check oldest clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

demo: .venv/.for-use  ## run every lab; ARGS="particles --seed 1" passes arguments on
	@$(BIN)/python -m gradlab.demo $(ARGS)

test: .venv/.for-development  ## run every test and every example in the documentation
	$(BIN)/python -m pytest $(ARGS)

check: .venv/.for-development  ## lint, formatting, types, then every test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

oldest: .venv/.for-development  ## run every test on the oldest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --seed --clear .venv-oldest
	$(BIN)/uv pip install --quiet --python .venv-oldest --resolution lowest-direct --editable ".[test]"
	.venv-oldest/bin/python -m pytest $(ARGS)

clean:  ## remove what the other commands made
	rm -rf .venv .venv-oldest gradlab-demo .pytest_cache .ruff_cache .mypy_cache

# A stamp is newer than pyproject.toml once its installation has succeeded.
.venv/.for-use: pyproject.toml | .venv/.created
	@echo "Installing what gradlab needs in .venv; the first time takes a minute or two."
	$(PIP) --editable .
	@touch $@

.venv/.for-development: pyproject.toml | .venv/.created
	@echo "Installing what gradlab's tests need in .venv; the first time takes a minute or two."
	$(PIP) --editable ".[dev]"
	@touch $@

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "gradlab needs Python 3.11 or newer; write make PYTHON=python3.12 demo, for example."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@
