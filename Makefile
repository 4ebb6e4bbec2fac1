# Two commands for everybody: `make study` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5000
# Models that `make study` runs at once: one a processor, but one in all where they share a GPU.
JOBS ?= $(if $(wildcard /dev/nvidia0),1,$(shell getconf _NPROCESSORS_ONLN))
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install study test lint ui

help:  ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

install: $(VENV)/.installed  ## Make the virtual environment, if it is not there.

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "polyroute needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "installing into $(VENV) (a few minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[study,dev]'
	@touch $@

STAGES = dvc stage list --name-only | grep -v ^train-pocket
REPRO = xargs dvc --wait-for-lock repro --single-item 2>&1 | cat

study: export OMP_NUM_THREADS ?= 1
study: install  ## Run the study, JOBS models at once, and show its results. Only what changed is computed.
	@dvc repro resolve
	@$(STAGES) | sed -n 's/^trace@//p' | xargs -P $(JOBS) -I MODEL bash -o pipefail -c \
		'$(STAGES) | grep @MODEL$$ | grep -Ev "^(steer|mask|judge|figures)@" | $(REPRO)'
	@$(STAGES) | grep -E '^(steer|mask)@' | xargs -P $(JOBS) -I STAGE bash -o pipefail -c 'echo STAGE | $(REPRO)'
	@$(STAGES) | sed -n 's/^trace@//p' | xargs -P $(JOBS) -I MODEL bash -o pipefail -c \
		'$(STAGES) | grep -E "^(judge|figures)@MODEL$$" | $(REPRO)'
	@dvc repro
	@polyroute results

test: install  ## Run the tests.
	@pytest

lint: install  ## Check style and types.
	@ruff check .
	@ruff format --check .
	@mypy

ui: install  ## Browse the runs in MLflow (PORT=5000).
	@polyroute track
	@polyroute ui --port $(PORT)
