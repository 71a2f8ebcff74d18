# Everything here sets itself up: in a fresh clone, `make demo` or `make test` is the first command.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PYTHON TORCH_INDEX
# One thread a process: small nets are fastest so, and the tests run in several processes.
test lint unit test-all docs: export OMP_NUM_THREADS := 1
docs: export NO_MKDOCS_2_WARNING := 1
WORKERS ?= 2
BIN := .venv/bin
DEMO := runs-demo

.PHONY: help setup demo test test-all lint unit docs bench benchmarks-page format generate clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS=$$'\t' read -r name text; do printf 'make %-16s %s\n' "$$name" "$$text"; done

setup: ## make .venv with pinned versions; does nothing when it is current
	@scripts/setup.sh

demo: setup ## train on the digits that scikit-learn ships, in under two minutes, into runs-demo/
	@rm -rf $(DEMO)
	@echo '$$ workings sample digits --out $(DEMO)/digits'
	@$(BIN)/workings sample digits --out $(DEMO)/digits
	@echo
	@echo '$$ workings train $(DEMO)/digits --out $(DEMO)/run --seed 0'
	@$(BIN)/workings train $(DEMO)/digits --out $(DEMO)/run --seed 0
	@echo
	@echo 'Open $(DEMO)/run/report.html in a browser. Three commands to try next:'
	@echo
	@echo '  source $(BIN)/activate                        # once in a shell, then:'
	@echo '  workings net resnet --input 1x8x8 --outputs 10   # a residual net, layer by layer'
	@echo '  workings predict $(DEMO)/run $(DEMO)/digits/7    # what it says of pictures of sevens'
	@echo '  workings check YOUR.csv --target COLUMN          # what is in your own data, and what is wrong with it'

test: setup lint ## what CI runs: style, types, layers, the docs site, and the tests with the docs' examples
	@$(MAKE) docs
	@$(MAKE) unit

test-all: setup lint docs ## the same with the slow tests and those on real data (../shared/data or $WORKINGS_DATA)
	$(BIN)/pytest -n $(WORKERS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo

unit: setup
	$(BIN)/pytest -n $(WORKERS) -m 'not slow and not data'

docs: setup ## build the site into site/, strictly
	$(BIN)/mkdocs --quiet build --strict

bench: setup ## every benchmark of benchmarks/, then the page docs/benchmarks.md (hours)
	@for script in benchmarks/bench_*.py; do echo "$$ $$script"; $(BIN)/python "$$script"; done
	@$(MAKE) benchmarks-page

benchmarks-page: setup ## render docs/benchmarks.md and the README's table from benchmarks/results/*.json
	$(BIN)/python scripts/benchmarks_page.py

generate: setup ## rewrite the pages that are made from the code: nets, command line
	$(BIN)/python scripts/generate_pages.py

format: setup ## ruff's formatter and its safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what was made here, the environment too
	rm -rf .venv site $(DEMO) .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
