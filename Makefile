# Everything here needs Python 3.11 or newer, git and make; `make run` on a fresh clone trains a first model.
# Choose the interpreter with PYTHON=python3.12, pass further options with ARGS="...".

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
ARGS ?=
# A process for each core with one thread each: torch's threads in several processes at once would wait for one another.
# A file's tests stay together, because the blocks of a page of the docs are run in order.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test coverage wheel lint format format-check types check clean

help:
	@echo "make run [DATA=PATH]   set up $(VENV) and train: on the bundled digits, or on your archive or folder"
	@echo "make test              set up $(VENV) for development and run the tests (ARGS='tests/images -k split')"
	@echo "make coverage          the same, with the lines that no test reaches"
	@echo "make wheel             build the distribution and try it in a fresh environment"
	@echo "make lint              ruff's rules"
	@echo "make format            rewrite the layout; make format-check only looks"
	@echo "make types             pyright"
	@echo "make check             lint, format-check, types and test: what must pass before a commit"
	@echo "make clean             remove $(VENV) and what the tools left; runs and data stay"

run: $(VENV)/.core
	@$(BIN)/glauke train $(if $(DATA),"$(DATA)",digits --recipe digits) $(ARGS)

test: $(VENV)/.dev
	@$(PYTEST) $(ARGS)

coverage: $(VENV)/.dev
	@$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage report

wheel: $(VENV)/.dev
	@$(BIN)/python -m pytest -m wheel tests/test_wheel.py $(ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .

format: $(VENV)/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

format-check: $(VENV)/.dev
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@$(BIN)/pyright --pythonpath $(BIN)/python

check: lint format-check types test

clean:
	@rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamp files, so that a second call sets nothing up; they are older than what they depend on after an edit or a pull.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "glauke needs Python 3.11 or newer, and $(PYTHON) is not: name one with PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV)" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet 'pip>=25.1'  # the first that installs a dependency group
	@touch $@

$(VENV)/.core: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing glauke and PyTorch into $(VENV); the first time this takes minutes" >&2
	@$(BIN)/python -m pip install --constraint constraints.txt --editable . >&2
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing glauke, PyTorch and the development tools into $(VENV); the first time this takes minutes" >&2
	@$(BIN)/python -m pip install --constraint constraints.txt --editable . --group dev >&2
	@touch $(VENV)/.core $@
