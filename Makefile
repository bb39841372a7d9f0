# One command is enough on a fresh machine with Python 3.11 to 3.13 and make.
.DEFAULT_GOAL := help
.PHONY: help setup report test faults quick check checkov notebooks docs lab up down bench month lock lock-python lock-jars clean
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# The image's user gets this user's numbers, so that data_output belongs to who started it.
COMPOSE := INDUTECH_UID=$$(id -u) INDUTECH_GID=$$(id -g) docker compose
# Where it is set, each of some hundred processes would compile every module that it reads anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## .venv from requirements.lock and the jars from assets/jars.lock; the others call it

$(READY): requirements.lock assets/jars.lock $(wildcard assets/class-lists/*.xz) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "InduTech needs Python 3.11, 3.12 or 3.13; $(PYTHON) is another. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing $$(grep -c '^[a-z].*==' requirements.lock) locked Python packages into $(VENV) (about a minute)"
	@$(BIN)/python -P lib/indutech/system/packages.py requirements.lock .
	@$(BIN)/python -m indutech.jvm.java
	@$(BIN)/python -m indutech.jvm.jars
	@echo "Preparing Java's class data of the broker and Spark (half a minute, once), so that both start sooner"
	@$(BIN)/python -m indutech.jvm.class_data
	@touch $@

report: setup ## runs every notebook on a real broker and Spark, writes data_output/report/latest/index.html
	@$(BIN)/indutech report

# By file, so that what a module shares is made once, and the longest first; how many processes, tests/conftest.py says.
test: check ## lint, types, unit and integration tests on a real broker, nbval on every notebook
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

quick: setup ## tests that start neither Java nor a notebook: under a minute
	@$(BIN)/pytest tests -m "not broker and not spark and not java and not slow and not faults" -n 2 --dist loadfile

faults: setup ## the laboratory: 21 families of faults and a soak, with a table at the end; SEED=7 for other moments
	@LABORATORY_COMMAND="make faults$(if $(SEED), SEED=$(SEED))" SEED=$(SEED) $(BIN)/pytest tests -m "faults or faults_short" \
	  -n 2 --dist loadgroup --no-loadscope-reorder -vv

check: setup ## lint, types, the templates, and whether what is generated is up to date; changes nothing
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@{ $(BIN)/mypy && $(BIN)/indutech template --check; } & rest=$$!; \
	  $(BIN)/indutech documents --check; documents=$$?; wait $$rest && exit $$documents

checkov: ## a second look at the templates, in an environment of its own; needs the network once
	@test -x .venv-checkov/bin/checkov || { $(PYTHON) -m venv .venv-checkov && \
	  .venv-checkov/bin/pip install --disable-pip-version-check -qq checkov==3.3.30; }
	@.venv-checkov/bin/checkov --config-file assets/checkov.yaml

notebooks: setup ## runs the notebooks in place and saves their outputs
	@$(BIN)/indutech notebooks

docs: setup ## renews all that is generated: parts of the documents, drawings, watch files
	@$(BIN)/indutech documents

lab: setup ## JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=notebooks

up: ## Redpanda by docker compose; STACK=ha: three brokers, secure: TLS, cluster: Spark's, s3
	@mkdir -p data_output/secrets
	@if [ "$(STACK)" = secure ]; then $(COMPOSE) run --rm --build secrets; fi
	@$(COMPOSE) up --build $(if $(STACK),monitor-$(STACK))

down: ## stops what `make up` started; topics and data_output stay
	@$(COMPOSE) --profile '*' down

month: setup ## a month of InduTech, 50 GB, through the real parts; DAYS=1 for less, SAVE=1 keeps it in assets
	@$(BIN)/python -m bench.month$(if $(DAYS), --days $(DAYS))$(if $(SAVE), --save)

bench: setup ## benchmarks, side by side, with a table at the end
	@$(BIN)/python -m bench

lock: lock-python lock-jars ## renews requirements.lock and assets/jars.lock

lock-python: $(VENV) ## only requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock pyproject.toml

lock-jars: $(VENV) ## only assets/jars.lock
	@$(BIN)/python -m indutech.jvm.jars --lock

$(VENV):
	@$(PYTHON) -m venv $(VENV) && $(BIN)/pip install -qq -r requirements.lock

clean: ## lists what it will delete and asks
	@rm -rIv $(VENV) .pytest_cache .mypy_cache .ruff_cache
