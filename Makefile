# One line per thing a newcomer does. Everything lives in .venv; nothing is installed elsewhere.
PYTHON ?= python3
PORT ?= 8765
DATA ?= demo-data
# Test processes: one more than cores, as some wait for others, at most four; each may start its own PostgreSQL database.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ "$$n" -gt 3 ] && n=3; echo $$((n + 1)))
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' Makefile

demo:  ## set up .venv and start the demonstration world (DATA=demo-data PORT=8765)
	@$(PYTHON) tools/bootstrap.py runtime
	@exec $(BIN)/cybex demo --data $(DATA) --port $(PORT)

test:  ## set up .venv and run all tests (TESTS="tests/web -k cursor" for some)
	@$(PYTHON) tools/bootstrap.py all
	@$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

lint:  ## ruff, mypy --strict, import-linter, deptry
	@$(PYTHON) tools/bootstrap.py all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench:  ## run the hub, medallion and OpenTAXII on the same data and print the ratios
	@$(PYTHON) tools/bootstrap.py all
	@$(BIN)/python -m benchmarks

clean:  ## remove what make has made, .venv and demo-data included
	rm -rf .venv $(DATA) bench-data dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
