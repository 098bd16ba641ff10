# Each target sets up .venv by itself, once.
PYTHON ?= $(firstword $(foreach one,python3.11 python3.12 python3.13 python3,$(shell command -v $(one) 2>/dev/null)))
BIN := .venv/bin
STAMP := .venv/.ready
# Tests wait a part of their time: they run in a process more than there are cores. Those of servers mostly wait, and a
# run of minutes takes one process: they have two more.
CORES ?= $(shell nproc)
UNIT_TESTS := tests/unit --dist loadfile --numprocesses $(shell expr $(CORES) + 1)
SERVERS_TESTS := tests/functional tests/fault --dist loadfile --no-loadscope-reorder --numprocesses $(shell expr $(CORES) + 2)

.PHONY: setup freqtrade demo test check bench soak clean constraints docs dashboards

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "expected Python 3.11 or newer; name one by: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "expected Python's venv module; on Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "installing into .venv, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

freqtrade:
	.ci/install-freqtrade

demo: $(STAMP)
	$(BIN)/deskwatch demo

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/deskwatch dashboards check
	$(BIN)/deskwatch rules check
	$(BIN)/deskwatch kubernetes check
	$(BIN)/pytest $(UNIT_TESTS) --quiet --cov --cov-report=term:skip-covered

test: check
	$(BIN)/pytest $(SERVERS_TESTS) --durations=10

bench: $(STAMP)
	@for one in emit ingest exposition scrape_hold mode stream shipping footprint memory fleet; do $(BIN)/python -m benchmarks.$$one || exit 1; done

soak: $(STAMP)
	DESKWATCH_SOAK=1 $(BIN)/pytest $(SERVERS_TESTS)

docs: $(STAMP)
	$(BIN)/python -m tests.reference

dashboards: $(STAMP)
	$(BIN)/deskwatch dashboards build
	$(BIN)/deskwatch rules build
	$(BIN)/deskwatch kubernetes build

constraints: $(STAMP)
	$(BIN)/python -m pip freeze --exclude-editable >constraints.txt

clean:
	rm -rf .venv .servers .freqtrade .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache dist
