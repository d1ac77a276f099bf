# make demo    sets up a virtual environment and shows what the package does
# make test    sets up what the tests need and runs all of them
# make check   lint, types and the order of the house
# make bench   benchmarks, beside the peers, in an environment of their own
#
# Another Python: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
BENCH_VENV ?= .venv-bench
RUN = $(VENV)/bin/python
BENCH_RUN = $(BENCH_VENV)/bin/python
PIP = -m pip --disable-pip-version-check install --quiet

.PHONY: demo test check format bench clean

demo: $(VENV)/.package
	@$(RUN) -m examples.sweep

test: $(VENV)/.test
	$(RUN) -m pytest

check: $(VENV)/.check
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m pyright --pythonpath $(RUN)
	$(RUN) -m mypy
	$(RUN) -m pytest --quiet tests/test_house.py

format: $(VENV)/.check
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

bench: $(BENCH_VENV)/.bench
	@$(BENCH_RUN) $(PIP) --no-deps --force-reinstall .
	$(BENCH_RUN) -m benchmarks

clean:
	rm -rf .venv* build dist *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "understudy needs Python 3.11 or newer. Say which one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) $(PIP) --upgrade "pip>=25.1"

$(VENV)/.package: pyproject.toml | $(VENV)/bin/python
	@PYTHONWARNINGS=ignore $(RUN) $(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.package
	@$(RUN) $(PIP) --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
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
