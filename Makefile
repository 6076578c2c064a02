# Everything that a person or a machine does with this project. `make` or `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
TEST_WORKERS ?= 2
CHAOS_MINUTES ?= 30
CHAOS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
COMPILE := $(BIN)/python -m piptools compile pyproject.toml --upgrade --quiet --no-header --strip-extras --all-build-deps \
	--generate-hashes --unsafe-package sturen-op-resultaat --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options
LOCKS := requirements.lock requirements-dev.lock requirements-production.lock requirements-connector.lock

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.runtime ## The whole system on this machine, with simulated care, from nothing
	@$(BIN)/sor demo

.PHONY: test
test: $(VENV)/.dev ## Every test, with a real broker and a real ClickHouse engine
	@# Files are shared out over the workers, each with a broker and an engine; what is marked slow then has the machine
	@# to itself. Exit code 5: nothing of that kind among TESTS.
	@one=0; $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow" $(TESTS) || one=$$?; \
	two=0; $(BIN)/python -m pytest -m slow $(TESTS) || two=$$?; \
	case "$$one $$two" in "0 0" | "0 5" | "5 0") ;; *) exit 1 ;; esac

.PHONY: nightly
nightly: $(VENV)/.dev ## A hundred thousand histories: the fold against its oracle (about half an hour)
	@$(BIN)/python -m tests.oracle.nightly

.PHONY: chaos
chaos: $(VENV)/.dev ## The whole stack under faults while care is delivered: CHAOS_MINUTES=30 CHAOS="--seed 1"
	@$(BIN)/python -m tests.chaos.stack --minutes $(CHAOS_MINUTES) $(CHAOS)

.PHONY: check
check: $(VENV)/.dev ## Style, types, alert rules, compose file, dashboards, generated pages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sor dashboards --check
	@$(BIN)/sor indicatoren --check
	@$(BIN)/sor settings --check
	@$(BIN)/sor rights --check
	@$(BIN)/sor portal rules --check
	@$(BIN)/python -m portal.browser.build --check > /dev/null
	@monitoring/check.sh $(BIN)/python

.PHONY: lint-fix
lint-fix: $(VENV)/.dev ## Repair what the linter can repair, and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: lock
lock: $(VENV)/.dev ## Resolve pyproject.toml anew into the lock files
	@$(COMPILE) --extra local --output-file requirements.lock
	@$(COMPILE) --extra local,dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(COMPILE) --extra intake,stream,results,release,reports,portal --constraint requirements.lock --output-file requirements-production.lock
	@$(COMPILE) --constraint requirements.lock --output-file requirements-connector.lock
	@# backports-zstd is part of Python 3.14 itself, so not to be had for it: the locks serve every version from 3.11.
	@# What follows the first empty line warns that the project, which an extra names, is not locked.
	@sed -E -i -e 's/^(backports-zstd==[0-9.]+) \\$$/\1 ; python_version < "3.14" \\/' -e '/^$$/,$$d' $(LOCKS)

.PHONY: bench
bench: $(VENV)/.runtime ## Measure against peers on this machine
	@$(BIN)/sor bench

.PHONY: clean
clean: ## Remove the environment and the caches; data in .sor stay
	@rm -rf $(VENV) build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. Packages come from the lock files, each checked against its hash; a stamp says which set is complete.

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or later, or say PYTHON=path." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11: say PYTHON=path of a newer one." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) cannot make environments: install its venv package (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing packages into $(VENV) (the first time about 500 MB) …"
	@$(PIP) --require-hashes --requirement requirements.lock
	@PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@touch $@
