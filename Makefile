# Everything runs in an own environment, .venv, which is made on first use.
PYTHON ?= python3
BIN = .venv/bin

PYTEST = $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help demo check test postgresql lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1  /p' $(MAKEFILE_LIST) | column -t -l 2

demo: .venv/demo ## forge a portrait, score it and draw a page
	$(BIN)/mesonet demo --output demo-report

check: lint ## lint, types and the quick tests, for every day
	$(PYTEST) -q -m 'not slow'

test: lint ## lint, types and all tests
	$(PYTEST)

postgresql: .venv/dev ## the tests of the server on PostgreSQL
	tests/with_postgres.sh $(PYTEST) -q -m 'not sqlite_is_enough' tests/integration/server

lint: .venv/dev ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## remove what make has made
	rm -rf .venv demo-report

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[demo,onnx,server]' --group dev
	touch $@
