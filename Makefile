# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They need Python 3.11 or newer, and a package index. `make test` also starts a real Apache Kafka if Java 17 and Maven
# are there, and says what it skips if they are not.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help demo test lint types dist clean

help:
	@echo "make demo   the demonstration: runs in motion on the embedded store, in this terminal"
	@echo "make test   every test, on a real Apache Kafka too (Java 17 and Maven)"
	@echo "make lint   style, layers and strict types"
	@echo "make dist   wheel and sdist, in dist/"
	@echo "make clean  remove what these made"

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Farandole needs Python 3.11 or newer; none was found. Install one, or: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/farandole demo $(ARGS)

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy schemas eventstore projections reactors testing cli

dist: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -m hatchling build --target sdist --directory dist

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis test-output
