# Chengtu: `make run` serves a whole demo city, `make test` runs the suite. Both install what is missing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB := webmap/node_modules/.package-lock.json
DIST := webmap/dist/index.html
WEB_SOURCES := $(shell find webmap/src webmap/*.html webmap/public -type f 2>/dev/null)

# Where the environment forbids bytecode, each start would compile some two thousand modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check bench backup restore clean lock

run: $(BIN)/.run $(DIST)
	@.ci/packages postgis print
	@exec $(BIN)/python -m api

test: $(BIN)/.dev $(DIST)
	@.ci/packages postgis browser print gdal
	@$(BIN)/pytest -n 3 --dist worksteal

check: $(BIN)/.dev $(WEB)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd webmap && npm run --silent check

# BENCH=--all measures a city of ten times the size as well; see docs/benchmarks.md.
bench: $(BIN)/.dev $(VENV)/bench/.ready $(DIST)
	@.ci/packages postgis browser bench
	@$(BIN)/python -m tests.bench --write docs/benchmarks.md $(BENCH)

# Database, photos and what else cannot be made again, and the keys apart; see docs/backup.md. TO=folder chooses where.
backup: $(BIN)/.run
	@$(BIN)/python -m layers backup $(if $(TO),--to "$(TO)")

# FILE=chengtu-….tar, and KEYS=chengtu-….keys.tar; OPTIONS=--replace puts it in the place of the city that is there.
restore: $(BIN)/.run
	@test -n "$(FILE)" || { echo "say which: make restore FILE=chengtu-….tar"; exit 2; }
	@$(BIN)/python -m layers restore "$(FILE)" $(if $(KEYS),--keys "$(KEYS)") $(OPTIONS)

# After a change of requirements*.in.
lock: $(BIN)/.dev
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements-bench.in -o requirements-bench.txt

clean:
	rm -rf $(VENV) webmap/node_modules webmap/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@.ci/packages python
	$(PYTHON) -m venv $(VENV)

$(BIN)/.run: requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(BIN)/.dev: requirements-dev.txt $(BIN)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Peers of the benchmarks that are written in Python, in an environment of their own.
$(VENV)/bench/.ready: requirements-bench.txt | $(BIN)/python
	$(PYTHON) -m venv $(VENV)/bench
	$(VENV)/bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

$(WEB): webmap/package-lock.json
	@.ci/packages node
	cd webmap && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(DIST): $(WEB) $(WEB_SOURCES) $(wildcard webmap/*.json webmap/*.ts)
	cd webmap && npm run --silent build
	@touch $@
