# Every target installs what it needs into .venv; uv comes from the PATH or, when missing, through pip.
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check format bench openapi lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: .venv/.ready ## Start Billwright with an embedded PostgreSQL and demo data
	@$(BIN)/billwright up

test: check ## Run every check and every test
	$(BIN)/pytest -n auto

check: .venv/.ready ## Format, lint, types and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.tidy

format: .venv/.ready ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.ready ## Measure against ceilings taken in the same run (N=10000 subscriptions)
	$(BIN)/python -m benchmarks $(if $(N),--subscriptions $(N))

openapi: .venv/.ready ## Print the OpenAPI document
	@$(BIN)/billwright openapi

lock: ## Resolve pyproject.toml into requirements.lock
	$(have_uv)
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --custom-compile-command 'make lock' --group dev --upgrade \
		--quiet pyproject.toml --output-file requirements.lock

clean: ## Remove what the targets installed
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A uv on the PATH is used; otherwise pip installs one into .tools, once.
UV = $(shell command -v uv || echo .tools/bin/uv)
define have_uv
@command -v $(UV) >/dev/null || { $(PYTHON) -m venv .tools && .tools/bin/pip install --quiet uv==$(UV_VERSION); }
endef

.venv/.ready: requirements.lock pyproject.toml
	$(have_uv)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv
	VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
