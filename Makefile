# make demo    sets up a virtual environment and shows what the package does;
#              make demo DASH=1 leaves the dashboard of a living service open
# make test    sets up what the tests need and runs all of them; installs Debian's Chromium and
#              PostgreSQL if there are none, for those of the dashboard's page and of the server
# make check   lint, types and the order of the house
# make format  mends what the linter and the formatter can
# make sim     the deterministic simulation: make sim SEEDS=1000000
# make mutants puts classic bugs back, one at a time: each must be caught
# make soak    mixed load for an hour, with a look every 10 s: make soak MINUTES=5
# make bench   benchmarks, beside the peers, in an environment of their own; half an hour
# make bench-runs  recorded runs beside other trackers, in an environment of their own; half an hour
# make never-harm  whether a shadow, or a sink, can harm a lead, here and in the peers: an hour
# make kills   writers and senders of runs, ended in every way, at random: make kills TIMES=100
# make clean   removes what the others made
#
# Another Python: make test PYTHON=python3.13  (in an environment of its own)

PYTHON ?= python3
ifeq ($(PYTHON),python3)
VENV ?= .venv
else
VENV ?= .venv$(subst /,-,$(PYTHON))
endif
BENCH_VENV ?= .venv-bench
RUN = $(VENV)/bin/python
BENCH_RUN = $(BENCH_VENV)/bin/python
TRACKERS_VENV ?= .venv-trackers
TRACKERS_RUN = $(TRACKERS_VENV)/bin/python
PIP = -m pip --disable-pip-version-check install --quiet

SEEDS ?= 10000
MINUTES ?= 60
PORT ?= 8765
TIMES ?= 100

.PHONY: demo test browser postgresql check format sim mutants soak kills bench bench-runs \
	never-harm clean help

demo: $(VENV)/.package
	@$(RUN) -m examples.shadow
ifdef DASH
	@$(RUN) $(PIP) "starlette>=0.40" "uvicorn>=0.30"
	@$(RUN) -m examples.living --port $(PORT)
endif

test: $(VENV)/.test browser postgresql
	$(RUN) -m pytest

# The tests of the dashboard's page drive a real one.
browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
		echo "Installing Chromium for the tests of the dashboard ..."; \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes chromium chromium-driver >/dev/null; \
	} || echo "Chromium and its driver are not there, and could not be installed: some tests need them"

# The tests of the server keep runs in a real one, which they start and end themselves.
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
		echo "Installing PostgreSQL for the tests of the server ..."; \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
			postgresql >/dev/null; \
	} || echo "PostgreSQL is not there, and could not be installed: some tests need it"

check: $(VENV)/.check
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m pyright --pythonpath $(RUN)
	$(RUN) -m mypy
	$(RUN) -m pytest --quiet tests/test_house.py tests/test_typing.py

format: $(VENV)/.check
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

sim: $(VENV)/.test
	@$(RUN) -m tests.simulation --seeds $(SEEDS)

mutants: $(VENV)/.test
	@$(RUN) -m tests.simulation.mutants

soak: $(VENV)/.test
	@$(RUN) -m tests.soak --minutes $(MINUTES)

kills: $(VENV)/.test
	@$(RUN) -m tests.runs.kills --times $(TIMES)
	@$(RUN) -m tests.runs.sendings --times $(TIMES)

bench: $(BENCH_VENV)/.bench
	@$(BENCH_RUN) $(PIP) --no-deps --force-reinstall .
	$(BENCH_RUN) -m benchmarks --docs

bench-runs: $(TRACKERS_VENV)/.trackers
	@$(TRACKERS_RUN) $(PIP) --no-deps --force-reinstall .
	$(TRACKERS_RUN) -m benchmarks.runs --peers

never-harm: $(BENCH_VENV)/.bench
	@$(BENCH_RUN) $(PIP) --no-deps --force-reinstall .
	$(BENCH_RUN) -m benchmarks.never_harm.bench_never_harm --docs
	$(BENCH_RUN) -m benchmarks.never_harm.bench_never_harm --docs --sinks

clean:
	rm -rf .venv* build dist *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
		"understudy needs Python 3.11 or newer, and %s is %d.%d. Name another: make PYTHON=python3.12" \
		% (sys.executable, v[0], v[1]))'
	@echo "Setting up $(VENV) (some ten seconds) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.package: pyproject.toml | $(VENV)/bin/python
	@$(RUN) $(PIP) --upgrade "pip>=25.1"
	@PYTHONWARNINGS=ignore $(RUN) $(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.package
	@echo "Installing what the tests need ..."
	@$(RUN) $(PIP) --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@echo "Installing what the checks need ..."
	@$(RUN) $(PIP) --group check
	@touch $@

# spearmint-framework asks for the whole of mlflow (850 MB); what is measured here needs little.
$(BENCH_VENV)/.bench: pyproject.toml
	@echo "Setting up $(BENCH_VENV) ..."
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_RUN) $(PIP) --upgrade "pip>=25.1"
	@$(BENCH_RUN) $(PIP) . --group peers
	@$(BENCH_RUN) $(PIP) --no-deps spearmint-framework==0.2.1
	@touch $@

$(TRACKERS_VENV)/.trackers: pyproject.toml
	@echo "Setting up $(TRACKERS_VENV) (some minutes) ..."
	@$(PYTHON) -m venv $(TRACKERS_VENV)
	@$(TRACKERS_RUN) $(PIP) --upgrade "pip>=25.1"
	@$(TRACKERS_RUN) $(PIP) . --group trackers
	@touch $@
