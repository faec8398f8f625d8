# The habits of the house, one word each.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
CATALOGUE := portal/translations/tr/LC_MESSAGES/messages
WORKERS ?= 2

.DEFAULT_GOAL := help

help: ## What there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(STAMP) $(CATALOGUE).mo ## Start everything here: http://127.0.0.1:8000 (PORT, SANDBOX_PORT, PORTAL_HOME)
	@exec $(BIN)/python -m portal.embedded

test: lint ## Lint, then every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: $(STAMP) $(CATALOGUE).mo ## ruff, mypy, import-linter, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy portal jobs tests wsgi.py
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates portal/sandbox/templates
	$(BIN)/python -m tests.architecture.templates_lint

faults: $(STAMP) $(CATALOGUE).mo ## The fault suite alone
	PAYMENTS=500 RUNS=300 $(BIN)/python -m pytest -m faults -n $(WORKERS) --dist loadgroup
	SCANS=1000 CUT_SECONDS=20 $(BIN)/python -m pytest tests/browser/test_packing.py -n0 -k 'network_cut or thousand_scans'

bench: $(STAMP) $(CATALOGUE).mo ## Ratios against a floor measured in the same run
	SNAPSHOTS=$${SNAPSHOTS:-100000} $(BIN)/python -m tests.benchmarks

messages: $(STAMP) ## Collect what has to be translated
	$(BIN)/pybabel -q extract -F portal/translations/babel.cfg -k _l -k lazy_gettext -k noted --no-location --sort-output -o $(VENV)/messages.pot .
	$(BIN)/pybabel -q update -i $(VENV)/messages.pot -d portal/translations -l tr --no-fuzzy-matching --ignore-obsolete

$(CATALOGUE).mo: $(CATALOGUE).po $(STAMP)
	@$(BIN)/pybabel -q compile -i $< -o $@ -l tr && touch $@

$(STAMP): requirements.txt requirements-dev.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $(STAMP)

.PHONY: help run test lint faults bench messages
