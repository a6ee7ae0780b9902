# The commands of this repository: `make help` lists them.
ifneq (,$(filter 3.%,$(MAKE_VERSION)))
$(error GNU make 4 or newer is needed, this is $(MAKE_VERSION) (macOS: brew install make, then gmake))
endif

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
.NOTPARALLEL:
# Hundreds of processes are started below: what one has compiled, the others need not.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
BUILD := $(BIN)/python -m millrace_build
SETUP_STAMP := .venv/.setup-complete
PROJECTS := pyproject.toml $(wildcard shared/*/pyproject.toml services/*/pyproject.toml scripts/*/pyproject.toml)
SOURCES := $(wildcard shared/*/src services/*/src scripts/*/src)
TYPED_TESTS := scripts/build/tests tests/repository

DEPLOY := $(BIN)/python -m millrace_deploy

# The variables of `make run`, and of `make deploy` and its like; they reach the shell by the
# environment, so any path is safe.
EVENTS ?=
MAP ?=
METRICS ?=
TIME_FORMAT ?=
TIME_ZONE ?=
PORT ?=
PYTHON ?=
CASES ?=
ENV ?=
PREFIX ?=
CONFIRM ?=
ALLOW_LOSS ?=
# How many processes run the tests; 0 runs them in pytest's own.
PROCESSES ?= 2
export EVENTS MAP METRICS TIME_FORMAT TIME_ZONE PORT PYTHON CASES ENV PREFIX CONFIRM ALLOW_LOSS

.PHONY: help preflight setup hooks build run stop bootstrap plan deploy outputs destroy test check bench \
  format lint typecheck imports \
  lock lock-check docs docs-check zip-check metrics-check terraform-check terraform-scan clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

preflight: ## Name what this machine lacks, and how to get it
	@scripts/build/preflight.sh >/dev/null

setup: preflight $(SETUP_STAMP) ## Install uv, the tools and the packages (nothing to do the second time)

$(SETUP_STAMP): requirements/dev.txt requirements/uv.txt scripts/build/setup.sh $(PROJECTS)
	@scripts/build/setup.sh "$$(scripts/build/preflight.sh)"
	@touch $@

hooks: ## Let Git check what is committed here: format, rules, the message's grammar
	@scripts/build/hooks.sh

build: metrics-check ## Build the zips (TARGET=local|lambda, ARCH=x86_64|arm64)
	@$(BUILD) build --target '$(or $(TARGET),local)' --arch '$(or $(ARCH),x86_64)'

run: build ## Send EVENTS (MAP="field=column ...", TIME_FORMAT, TIME_ZONE, METRICS, PORT) through it
	@set -f; mapping=(); for pair in $$MAP; do mapping+=(--map "$$pair"); done; \
	$(BIN)/millrace run $${EVENTS:+--events "$$EVENTS"} $${METRICS:+--metrics "$$METRICS"} \
	  $${TIME_FORMAT:+--time-format "$$TIME_FORMAT"} $${TIME_ZONE:+--tz "$$TIME_ZONE"} \
	  $${PORT:+--port "$$PORT"} $${mapping[@]+"$${mapping[@]}"}

stop: ## End the local engine and empty it
	@if [[ -x $(BIN)/millrace ]]; then $(BIN)/millrace stop; else echo 'nothing was ever started here'; fi

bootstrap: setup ## Make the bucket of Terraform's states for ENV (once)
	@$(DEPLOY) bootstrap

plan: setup ## Show what a deploy of ENV would change (PREFIX for a further stack)
	@$(DEPLOY) plan

deploy: setup ## Deploy ENV (PREFIX), then send 10 events through it (ALLOW_LOSS=1)
	@$(DEPLOY) deploy

outputs: setup ## Read the outputs of a deployed ENV (PREFIX), for millrace --env
	@$(DEPLOY) outputs

destroy: setup ## Remove a deployed ENV (PREFIX, CONFIRM=its name prefix)
	@$(DEPLOY) destroy

# Short runs of Terraform: its collector may run less often (a third less CPU time, more memory).
test: export GOGC ?= 400
test: build terraform-check ## Terraform fmt, test and validate; unit, contract and integration tests
	@$(BIN)/pytest --cov -n $(PROCESSES) --dist loadfile

check: setup lint typecheck imports lock-check docs-check zip-check terraform-scan test ## Everything that must pass before a change lands

bench: build ## Measure, as ratios within this run (CASES="parsing ..."); figures go to .millrace/bench.json
	@set -f; $(BIN)/python -m millrace_bench $$CASES

format: setup ## Format the Python and Terraform code
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .
	@$(or $(TERRAFORM),terraform) fmt -recursive terraform

lint: setup ## ruff: rules and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

typecheck: setup ## mypy --strict over all sources
	@$(BIN)/mypy --strict $(SOURCES) $(TYPED_TESTS)

imports: setup ## The import rules between the layers
	@$(BIN)/lint-imports --no-logo

lock: setup ## Compile the hashed requirements files (UPGRADE="package ...")
	@$(BUILD) lock $(foreach package,$(UPGRADE),--upgrade '$(package)')

lock-check: setup ## Fail if a requirements file is out of step
	@$(BUILD) lock --check

docs: setup ## Write the documents that follow from settings and Terraform
	@$(BIN)/python -m millrace_docs write

docs-check: setup ## Fail if such a document has drifted from its sources
	@$(BIN)/python -m millrace_docs check

zip-check: setup ## Check the zips' contents; import each handler with only boto3 beside it
	@$(BUILD) check
	@$(BUILD) check --target lambda --arch x86_64
	@$(BUILD) check --target lambda --arch arm64

metrics-check: setup ## Check the metric definitions in terraform/metrics, and METRICS
	@$(BUILD) metrics $${METRICS:+"$$METRICS"}

terraform-check: setup ## terraform fmt, and per module init, and test or validate
	@$(BUILD) terraform

terraform-scan: setup ## checkov over the Terraform code, offline
	@$(BUILD) scan

clean: stop ## Remove everything that the commands above made
	@rm -rf .venv .tools .millrace dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
