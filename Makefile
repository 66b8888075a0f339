# VoiceHub. `make run` is enough to start; `make` alone lists all targets.
PYTHON ?= python3
PORT ?= 8000
export VOICEHUB_DATA_DIR

.DEFAULT_GOAL := help
.PHONY: run extras check test test-long lint format messages lock doctor clean help

run: ## set up and serve the studio (PORT=8000, VOICEHUB_DATA_DIR=var)
	@exec $(PYTHON) bootstrap.py run --port $(PORT)

extras: ## install m4a and webm decoding and the quality estimates (about 400 MB)
	@exec $(PYTHON) bootstrap.py install --extras

check: ## run code checks and the tests for your change, in under two minutes
	@exec $(PYTHON) bootstrap.py check

test: ## run all tests, on SQLite and PostgreSQL; run a part of them with ARGS="tests/consent -k approve"
	@exec $(PYTHON) bootstrap.py test $(if $(ARGS),part $(ARGS))

test-long: ## run chaos, long fuzzing, two more browsers, and screenshots of every page (CONTRIBUTING.md lists what it needs)
	@exec $(PYTHON) bootstrap.py test long

lint: ## run only ruff, mypy and the import rules
	@exec $(PYTHON) bootstrap.py test lint format templates imports types

format: ## format the code
	@$(PYTHON) bootstrap.py install --dev
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .
	@.venv/bin/python -m tests.support.format_templates

messages: ## add new texts for talents to the catalogs in locale/, and compile these
	@$(PYTHON) bootstrap.py install --dev
	@.venv/bin/python -m tests.support.messages

lock: ## update the lock files of the Python and browser libraries to the newest versions (needs uv and npm)
	@exec $(PYTHON) bootstrap.py lock

doctor: ## check an installed studio for problems
	@.venv/bin/python manage.py doctor

clean: ## remove what was installed, but no stored data
	@rm -rf .venv node_modules static/vendor .mypy_cache .pytest_cache .ruff_cache .hypothesis

help:
	@grep -hE '^[a-z-]+: ##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+): ## /make \1\t/' | expand -t 14
