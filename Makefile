# The front door. `make help` lists what is here; every target sets up what it needs.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled modules are kept even where the machine says not to: hundreds of processes read them.
export PYTHONDONTWRITEBYTECODE :=
NODE_MODULES := contracts/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help setup node demo demo-phone rehearsal test test-needs check bench soak serve w3c contracts lock clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/.ready: requirements/uv.txt requirements/dev.txt pyproject.toml tools/bootstrap.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/bootstrap.sh

setup: $(VENV)/.ready ## Create .venv with the pinned requirements

# Node is optional: what needs it is named by the tests when it is missing.
node: ## Install the npm packages (contracts, anvil, interop peers) if Node >= 20 is there
	@sh tools/node_packages.sh

demo: setup ## Issue, hold, anchor, present, verify; then everything that must be refused
	@$(BIN)/seoul-wallet demo $(ARGS)

demo-phone: setup ## Lose a phone: restore, re-issue, revoke the old one, present
	@$(BIN)/seoul-wallet demo-phone

rehearsal: setup node ## A whole election from a .pb file, on a chain, through mvote-verify
	@$(BIN)/seoul-wallet rehearsal $(ARGS)

# Many tests wait for a node, a database or a child process: four workers keep two cores busy.
# The types are checked on one core: what the tests need is set up on the other.
test: ## Everything CI runs: checks, tests, each benchmark once
	@$(MAKE) --no-print-directory -j2 setup node
	@$(MAKE) --no-print-directory -j2 check test-needs
	@$(BIN)/python -m pytest -n 4 --dist=worksteal $(ARGS)

# The first collection compiles every module; four workers at once would each do it again.
# It says nothing: what fails here fails in the run, which shows it.
test-needs: setup
	@sh tools/postgres_binaries.sh
	@[ ! -f $(NODE_MODULES) ] || sh tools/slither.sh --setup
	@[ -d tests/__pycache__ ] || $(BIN)/python -m pytest --collect-only -q >/dev/null 2>&1 || true

check: setup ## Format, lint, types, imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/lint-imports --no-cache

bench: setup node ## Measure: ratios against a floor taken in the same run
	@$(BIN)/python -m pytest benchmarks --benchmark-enable -p no:randomly --benchmark-columns=median,iqr,rounds -p no:xdist $(ARGS)

soak: setup node ## The long counts; raw output is kept in docs/soak/
	@$(BIN)/python -m tools.soak $(ARGS)

serve: setup ## Start issuer, verifier, holder side and chain on loopback (TLS=1: https)
	@$(BIN)/seoul-wallet serve $(if $(filter 1,$(TLS)),--tls) $(ARGS)

w3c: setup ## Run the official W3C suites whose checkouts are in SUITES=folder on our services
	@[ -n "$(SUITES)" ] || { echo "make w3c SUITES=folder-with-the-checkouts"; exit 2; }
	@$(BIN)/python -m tools.w3c_suites "$(SUITES)" $(ARGS)

contracts: node ## Compile the contracts and rewrite contracts/artifacts
	@cd contracts && npm run --silent compile

lock: setup ## Renew the pinned requirement files (hashes, no index named)
	@sh tools/lock.sh

clean: ## Remove what the targets made
	rm -rf $(VENV) .cache contracts/node_modules contracts/out contracts/cache tests/interop/node_modules .mypy_cache .ruff_cache .benchmarks dist
