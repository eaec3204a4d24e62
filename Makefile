# The two commands: `make demo` and `make test`. Everything they install goes into .venv.

PYTHON ?= python3
VENV ?= .venv
UV ?= uv
ARGS ?=

RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --disable-pip-version-check --quiet --require-hashes -r
CHECKS := lint test test-quick test-sqlite test-postgresql

.PHONY: demo screenshots venv lock messages faults hostile attacks quick-a-m quick-n-z $(CHECKS)

# The store with recorded runs, a login and an app; how to look is printed. ARGS="--port 9000"
demo: $(VENV)/.runtime
	$(RUN) manage.py demo $(ARGS)

# The pictures in docs/screenshots, taken anew. Needs Chromium.
screenshots: $(VENV)/.dev
	$(RUN) -m docs.screenshots.take

# Everything that a change must pass. The last line says whether PostgreSQL was part of it.
test: lint
	$(MAKE) --no-print-directory test-sqlite
	$(MAKE) --no-print-directory test-postgresql

# Django is loaded with the tests' settings: the project's own have no default key.
$(CHECKS) messages: export DJANGO_SETTINGS_MODULE = tests.settings

lint: $(VENV)/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) manage.py makemigrations --check --dry-run

# Two minutes while working: SQLite, no servers, no browser, nothing slow. All of it on two cores.
QUICK := env -u DATABASE_URL $(RUN) -m pytest -m "not live and not browser and not slow"
test-quick: $(VENV)/.dev
	$(if $(ARGS),$(QUICK) $(ARGS),$(MAKE) --no-print-directory --jobs=2 --output-sync=target quick-a-m quick-n-z)

quick-a-m:
	$(QUICK) tests/[a-m]*/

quick-n-z:
	$(QUICK) tests/[n-z]*/ tests/test_*.py

# ARGS="-k words -x tests/test_ingest.py" goes to pytest.
test-sqlite: $(VENV)/.dev
	env -u DATABASE_URL $(RUN) -m pytest $(ARGS)

test-postgresql: $(VENV)/.dev
	$(RUN) -m tests.postgres $(RUN) -m pytest $(ARGS)

# The texts of pages and errors into the catalogue, to be translated there, and compiled. Needs gettext.
messages: $(VENV)/.dev
	$(RUN) manage.py makemessages --locale zh_Hans --no-obsolete --no-location \
		--ignore '.venv*' --ignore tests
	$(RUN) manage.py compilemessages --locale zh_Hans --ignore '.venv*'

# Kills, cuts, full disks and races, with a table. ARGS="--rounds 100 --seed 7 --only disk"
faults: $(VENV)/.dev
	$(RUN) -m tests.faults $(ARGS)

# Input that means harm, for each door, with a table. ARGS="--inputs 20000 --only dump"
hostile: $(VENV)/.dev
	$(RUN) -m tests.hostile $(ARGS)

# Attacks on a server that is started for it, with a table: docs/security.md, "Attacks tried".
attacks: $(VENV)/.dev
	$(RUN) -m tests.attacks

venv: $(VENV)/.dev

# The stamps say which lock was installed last.
$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	$(INSTALL) requirements.lock --only-binary=:all:
	touch $@

$(VENV)/.dev: tests/requirements.lock | $(VENV)/bin/python
	$(INSTALL) tests/requirements.lock
	touch $@

# After a change of the dependencies in pyproject.toml. Needs uv; the locks name no host.
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml
lock:
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --constraints requirements.lock --output-file tests/requirements.lock
