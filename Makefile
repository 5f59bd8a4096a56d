# `make demo` and `make test` set up everything they need in .venv, once.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo notebooks lessons test check oldest benchmark refresh clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' Makefile

demo: .venv/.for-use  ## run every lab; ARGS="particles --seed 1" passes arguments on
	@$(BIN)/python -m gradlab.demo $(ARGS)

notebooks: .venv/.for-notebooks  ## open the lessons in JupyterLab
	$(BIN)/jupyter lab notebooks $(ARGS)

lessons: .venv/.for-notebooks  ## write the lessons as pages to hand out, gradlab-lessons/index.html
	@$(BIN)/python notebooks/write_site.py gradlab-lessons

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

benchmark: .venv/.for-benchmarks  ## measure gradlab beside its rivals; ARGS="--only walks" for a part
	@PYTHONPATH=tests $(BIN)/python -m benchmarks $(ARGS)

refresh: .venv/.for-development  ## run notebooks and keep what they show; ARGS="02_random_walks" for one
	$(BIN)/python tests/lessons/refresh.py $(ARGS)

clean:  ## remove what the other commands made
	rm -rf .venv .venv-oldest gradlab-benchmarks gradlab-demo gradlab-lessons .pytest_cache .ruff_cache .mypy_cache

# A stamp is newer than pyproject.toml once its installation has succeeded.
.venv/.for-use: pyproject.toml | .venv/.created
	@echo "Installing what gradlab needs in .venv; the first time takes a minute or two."
	$(PIP) --editable .
	@touch $@

.venv/.for-notebooks: pyproject.toml | .venv/.created
	@echo "Installing JupyterLab and what gradlab needs in .venv; the first time takes a minute or two."
	$(PIP) --editable ".[notebooks]"
	@touch $@

.venv/.for-benchmarks: pyproject.toml | .venv/.created
	@echo "Installing gradlab's rivals in .venv; the first time takes a minute or two."
	$(PIP) --editable ".[benchmark]"
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
