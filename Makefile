# VoiceHub. `make run` is all that a newcomer needs; `make` alone says what else there is.
PYTHON ?= python3
PORT ?= 8000
export VOICEHUB_DATA_DIR

.DEFAULT_GOAL := help
.PHONY: run extras check test test-long lint format lock doctor clean help

run: ## set everything up and serve the studio (PORT=8000, VOICEHUB_DATA_DIR=var)
	@exec $(PYTHON) bootstrap.py run --port $(PORT)

extras: ## add what reads m4a and webm, and the quality estimates (about 400 MB)
	@exec $(PYTHON) bootstrap.py install --extras

check: ## the checks of the code and the tests that your change touches, in under two minutes
	@exec $(PYTHON) bootstrap.py check

test: ## everything that must hold, on SQLite and PostgreSQL; a part by ARGS="tests/consent -k approve"
	@exec $(PYTHON) bootstrap.py test $(if $(ARGS),part $(ARGS))

test-long: ## chaos, long fuzzing, another browser, and screenshots of every page (needs Chromium and Firefox ESR)
	@exec $(PYTHON) bootstrap.py test long

lint: ## only ruff, mypy and the import rules
	@exec $(PYTHON) bootstrap.py test lint format imports types

format: ## put the code into its one form
	@$(PYTHON) bootstrap.py install --dev
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .

lock: ## remake the locks of the Python and the browser libraries, newest versions (needs uv and npm)
	@exec $(PYTHON) bootstrap.py lock

doctor: ## look for trouble in a studio that is set up
	@.venv/bin/python manage.py doctor

clean: ## remove what was installed, never what a studio has stored
	@rm -rf .venv node_modules static/vendor .mypy_cache .pytest_cache .ruff_cache .hypothesis

help:
	@grep -hE '^[a-z-]+: ##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+): ## /make \1\t/' | expand -t 14
