# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They need Python 3.11 or newer, and a package index. `make test` also starts a real Apache Kafka if Java 17 and Maven
# are there, a real PostgreSQL and a real Prometheus if those are, and says what it skips if they are not.

# Debian's python3 has no ensurepip until python3-venv is installed, and so makes no environments.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
# The tests that need no broker run on all of these that the machine has, on the PATH or from pyenv.
VERSIONS := 3.11 3.12 3.13
# ONLY narrows the tests down to those with a mark.
MARKED := $(if $(ONLY),$(ONLY) and )
ON_ALL_CORES := -n auto --maxprocesses 8 --dist worksteal -m "$(MARKED)not kafka and not postgres and not slow"
# Set in many images. Without bytecode on disk, each of hundreds of processes would compile all of Farandole anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo stack test lanes test-pythons faults chaos lint dist clean

help:
	@echo "make demo   the demonstration: runs in motion on the embedded store, in this terminal and on the dashboard"
	@echo "make stack  Kafka, PostgreSQL, workers, server and Prometheus, with runs in motion, until Ctrl-C (ARGS=--check asks all of it, and ends)"
	@echo "make test   every test, on a real Apache Kafka (Java 17 and Maven) and PostgreSQL too"
	@echo "make faults of the tests, those in which things go wrong on purpose: simulation, faults on Kafka and SQLite; meant to take ten minutes"
	@echo "make chaos  the whole fault campaign, most of an hour; its report goes to test-output (ARGS=--list names the faults)"
	@echo "make lint   style, layers and strict types"
	@echo "make dist   wheel and sdist, in dist/"
	@echo "make clean  remove what these made"

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Farandole needs Python 3.11 or newer that can make virtual environments (Debian: python3 and python3-venv); none was found. Install one, or: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml
	@echo "Installing into $(VENV); a minute or two the first time ..."
	$(BIN)/python -m pip install --quiet --editable ".[dashboard]"
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/farandole demo $(ARGS)

stack: $(VENV)/.dev
	@PYTHONPATH=tests $(BIN)/python -m stack $(ARGS)

test: $(VENV)/.dev lint
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(MAKE) --no-print-directory lanes
endif
	$(MAKE) --no-print-directory test-pythons

faults: $(VENV)/.dev
	$(MAKE) --no-print-directory lanes ONLY=faults

# Tests that are quick and need no broker take all cores. The others go one after the other, for they wait for processes
# and brokers, with a clock in their hands; in what those leave of the machine, those that only compute for long are run.
lanes: $(VENV)/.dev
	$(BIN)/python -m pytest $(ON_ALL_CORES)
	@mkdir -p test-output; echo "== What waits; beside it, what computes"; \
	$$(command -v setsid) tests/in_background $(BIN)/python -m pytest -q -p no:cacheprovider -m "$(MARKED)slow and computes" > test-output/computes.txt 2>&1 & \
	computes=$$!; trap "kill $$computes" INT TERM; \
	$(BIN)/python -m pytest -m "$(MARKED)(kafka or postgres or slow) and not (slow and computes)"; waits=$$?; \
	wait $$computes; computes=$$?; cat test-output/computes.txt; exit $$((waits | computes))

test-pythons: $(VENV)/.dev
	@ours=$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	for v in $(VERSIONS); do \
		if [ $$v = $$ours ]; then continue; fi; \
		found=; why="there is none on the PATH or in ~/.pyenv"; \
		for p in python$$v $$HOME/.pyenv/versions/$$v.*/bin/python$$v; do \
			$$p -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "'$$v'")' >/dev/null 2>&1 || continue; \
			if $$p -c 'import ensurepip, venv' >/dev/null 2>&1; then found=$$p; break; fi; \
			why="$$p has no ensurepip or venv (Debian: python$$v-venv)"; \
		done; \
		if [ -z "$$found" ]; then echo "== Python $$v is left out: $$why"; continue; fi; \
		echo "== Python $$v"; \
		test -x $(VENV)-$$v/bin/python || $$found -m venv $(VENV)-$$v || exit 1; \
		$(VENV)-$$v/bin/python -m pip install --quiet --upgrade "pip>=25.1" && \
		$(VENV)-$$v/bin/python -m pip install --quiet --editable . --group dev && \
		$(VENV)-$$v/bin/python -m pytest -q $(ON_ALL_CORES) -p no:cacheprovider --ignore=tests/typing || exit 1; \
	done

chaos: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m chaos $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy schemas eventstore projections reactors agents testing dashboard cli

dist: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -m hatchling build --target sdist --directory dist

clean:
	rm -rf $(VENV) $(VENV)-* dist .mypy_cache .ruff_cache .pytest_cache .hypothesis test-output
