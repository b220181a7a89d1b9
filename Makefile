# Every task of Escrow Desk. `make` alone lists them.

PORT ?= 8600
RESET ?=
WORKERS ?= 2
SEEDS ?= 200
FROM ?= 0
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help environment demo test check attack faults stripe-test coverage vulnerabilities bench screenshots lock release clean

help: ## list these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment: ## make .venv from requirements.lock (every task below does it first)
	@scripts/environment

demo: environment ## start everything with three months of example data (PORT=8600, RESET=1 starts afresh)
	@exec $(BIN)/escrow-desk demo --port $(PORT) $(if $(filter-out 0 no false,$(RESET)),--reset)

test: environment ## every test, on real PostgreSQL and a real browser (WORKERS=2)
	@browser=$$(scripts/browser) && ESCROW_DESK_BROWSER="$$browser" exec $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: environment ## what to run before a commit, a minute: ruff, mypy, import contracts, tests without a database
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -n $(WORKERS) -m "not slow and not database" $(ARGS)

attack: environment ## every known attack on the desk, played: held or BROKEN (ARGS="--json", "--only Sessions")
	@browser=$$(scripts/browser) && ESCROW_DESK_BROWSER="$$browser" $(BIN)/python -m scripts.attack -n $(WORKERS) $(ARGS)

faults: environment ## lives in which everything fails at random, replayable by their numbers (SEEDS=200 FROM=0, ARGS="--mutants")
	@exec $(BIN)/python -m tests.seeded_faults --seeds $(SEEDS) --from $(FROM) $(ARGS)

stripe-test: environment ## the contract tests against Stripe itself, in test mode (STRIPE_API_KEY=sk_test_…)
	@STRIPE_API_KEY="$(STRIPE_API_KEY)" exec $(BIN)/pytest -q -n 0 -rs tests/gateways/test_stripe_itself.py $(ARGS)
	@$(if $(STRIPE_API_KEY),,echo "Skipped: nothing was asked of Stripe, because there is no STRIPE_API_KEY=sk_test_…")

coverage: environment ## what the tests reach; fails where rules, ledger or actions have an unexplained gap
	@browser=$$(scripts/browser) && ESCROW_DESK_BROWSER="$$browser" \
		$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --cov --cov-report term --cov-report html:build/coverage $(ARGS)
	@$(BIN)/python -m scripts.uncovered

vulnerabilities: environment ## known vulnerabilities in the locked packages (pip-audit)
	@exec $(BIN)/pip-audit --requirement requirements.lock --disable-pip --require-hashes --strict $(ARGS)

bench: environment ## measure against the design's targets (needs nothing running)
	@exec $(BIN)/escrow-desk bench $(ARGS)

screenshots: environment ## docs/screenshots anew, from demos of their own: every page, and the stations of a mediator's day
	@browser=$$(scripts/browser) && export ESCROW_DESK_BROWSER="$$browser" && \
		$(BIN)/python -m scripts.screenshots $(ARGS) && \
		ESCROW_DESK_PICTURES=docs/screenshots $(BIN)/pytest -q -n 0 tests/journeys/test_the_mediators_day.py tests/journeys/test_what_comes_between.py

lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-emit-index-url --no-header \
		--no-annotate --generate-hashes --output-file requirements.lock $(ARGS) pyproject.toml

release: environment ## the wheel of the last commit, its SBOM, its notes and the hashes, in dist/ (the same bytes wherever it is made)
	@exec $(BIN)/python -m scripts.release $(ARGS)

clean: ## remove caches and the tests' database; .venv and the demo's data stay
	@scripts/clean
