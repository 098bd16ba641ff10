# Each target sets up .venv by itself, once.
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: setup demo test check bench soak clean constraints dashboards

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "expected $(PYTHON) on the PATH; name another by: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/deskwatch demo

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/deskwatch dashboards check
	$(BIN)/pytest tests/unit --quiet --cov --cov-report=term:skip-covered

test: check
	$(BIN)/pytest tests/functional tests/fault --durations=10

bench: $(STAMP)
	@for one in benchmarks/[a-z]*.py; do $(BIN)/python $$one || exit 1; done

soak: $(STAMP)
	DESKWATCH_SOAK=1 $(BIN)/pytest tests/functional tests/fault

dashboards: $(STAMP)
	$(BIN)/deskwatch dashboards build

constraints: $(STAMP)
	$(BIN)/python -m pip freeze --exclude-editable >constraints.txt

clean:
	rm -rf .venv .servers .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache dist
