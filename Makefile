# Every target does its own set-up; a second run of any is quick.
SCENARIO ?= happy
PY := .venv/bin/python
# The system's own where it is new enough: Debian builds it with profile-guided optimization, a version manager mostly without.
PYTHON ?= $(or $(shell for one in /usr/bin/python3 python3; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done),python3)
# Set where images are built, it would let every process here compile every module again.
export PYTHONDONTWRITEBYTECODE :=
# Beside the lab's builds: what mypy found out about a file is true in every checkout.
export MYPY_CACHE_DIR ?= $(HOME)/.cache/bluegreen-lab/mypy

.PHONY: help demo bench bench-traffic test lint lab-up lab-down lock docs clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Installs in two seconds what pip takes forty for; got by pip, once, for all checkouts.
UV_VERSION := 0.13.9
UV_HOME := $(HOME)/.cache/bluegreen-lab/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
# pip's own settings of mirror and certificates hold for it, too.
UV_ENV = UV_DEFAULT_INDEX=$${UV_DEFAULT_INDEX:-$$($(UV_HOME)/bin/pip config list | sed -nE "s/^(global|:env:)\.index-url='(.*)'$$/\2/p" | tail -1)} \
	SSL_CERT_FILE=$${SSL_CERT_FILE:-$$($(UV_HOME)/bin/pip config list | sed -nE "s/^(global|:env:)\.cert='(.*)'$$/\2/p" | tail -1)}

$(UV):
	@for one in $(PYTHON) python3; do $$one -m venv $(UV_HOME) >/dev/null 2>&1 && exit; done; \
		apt-get update -q && apt-get install -y -q python3-venv && python3 -m venv $(UV_HOME)
	@$(UV_HOME)/bin/pip install -q --disable-pip-version-check uv==$(UV_VERSION)

.venv/.done: requirements.lock pyproject.toml | $(UV)
	@test -x $(PY) || $(UV) venv -q --python $$($(PYTHON) -c 'import sys; print(sys.executable)') .venv
	@$(UV_ENV) $(UV) pip install -q --python $(PY) --require-hashes -r requirements.lock
	@$(UV) pip install -q --python $(PY) --offline --no-deps --no-build-isolation -e .
	@touch $@

packages: .venv/.done
	@$(PY) -m scenarios.lab packages

demo: packages ## Move the shop from old to new under load (SCENARIO=happy or bad_green)
	@$(PY) -m scenarios.run $(SCENARIO)

bench: packages ## Measure speed and size on the two clusters beside kubectl, Velero and plain HTTPS
	@$(PY) -m scenarios.bench

bench-traffic: packages ## Measure how fast each router goes back, and that none of the requests is lost
	@$(PY) -m scenarios.bench_traffic

test: packages ## Lint, unit, contract and simulation tests, then the tests on the two clusters
	@env --default-signal=INT .ci/test # what is started in the background may not hear Ctrl-C, which tests send

lint: .venv/.done ## ruff, mypy, import-linter
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

lab-up: packages ## Bring up the two clusters
	@$(PY) -m scenarios.lab up

lab-down: packages ## Take them down, leaving nothing behind
	@$(PY) -m scenarios.lab down

docs: .venv/.done ## Generate docs/reference from the code
	@$(PY) -m bluegreen.config.schema
	@$(PY) -m bluegreen.exporter.page
	@$(PY) -m bluegreen.cli.reference
	@$(PY) -m bluegreen.cli.adapter_page

lock: $(UV) ## Resolve the dependencies again
	$(UV_ENV) $(UV) lock --upgrade
	$(UV) export -q --frozen --no-emit-project --no-header --format requirements.txt -o requirements.lock

clean: ## Remove what the targets above made in this directory
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
