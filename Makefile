# `make demo` and `make test` set up everything they need in .venv, once.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo notebooks lessons test check newest oldest wheel benchmark refresh clean

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

newest:  ## run every test on the newest Python here, if it is 3.12 or later, and its JAX
	@python=$$($(PYTHON) .ci/newest_python.py) || exit 1; \
	if [ -z "$$python" ]; then echo "make newest: no Python 3.12 or later is installed here."; exit; fi; \
	[ "$$(.venv-newest/bin/python -V 2>&1)" = "$$("$$python" -V)" ] || rm -rf .venv-newest; \
	$(MAKE) --no-print-directory .venv-newest/.for-tests NEWEST="$$python" && \
	.venv-newest/bin/python -m pytest $(ARGS)

oldest: .venv/.for-development  ## run every test on the oldest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --seed --clear .venv-oldest
	$(BIN)/uv pip install --quiet --python .venv-oldest --resolution lowest-direct --editable ".[test]"
	.venv-oldest/bin/python -m pytest $(ARGS)

wheel: .venv/.for-use  ## build a wheel in dist/, to install with pip
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

benchmark: .venv/.for-benchmarks  ## measure gradlab beside its rivals; ARGS="--only walks" for a part
	@PYTHONPATH=tests $(BIN)/python -m benchmarks $(ARGS)

refresh: .venv/.for-development  ## run notebooks and keep what they show; ARGS="02_random_walks" for one
	$(BIN)/python tests/lessons/refresh.py $(ARGS)

clean:  ## remove what the other commands made
	rm -rf .venv .venv-newest .venv-oldest dist gradlab-benchmarks gradlab-demo gradlab-lessons .pytest_cache .ruff_cache .mypy_cache

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

.venv-newest/.for-tests: pyproject.toml
	@echo "Installing what gradlab's tests need in .venv-newest; the first time takes a minute or two."
	"$(NEWEST)" -m venv .venv-newest
	.venv-newest/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@touch $@

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "gradlab needs Python 3.11 or newer; write make PYTHON=python3.12 demo, for example."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@
