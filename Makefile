# `make setup` builds .venv with everything the main job needs; demo and test call it.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
BASE := $(VENV)/.base
DEV := $(VENV)/.dev
TRAIN := $(VENV)/.train

.PHONY: setup setup-dev setup-train demo test lint clean

setup: $(BASE)
setup-dev: $(DEV)
setup-train: $(TRAIN)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# lava-nc 0.10.0 says Python <3.11 and numpy <2; it runs on 3.10 to 3.13 (docs/lava.md), so it is
# installed past its metadata, and what it imports comes with the `lava` extra.
$(BASE): $(VENV)/bin/python pyproject.toml Makefile
	$(PIP) install -q --upgrade "pip>=24"
	$(PIP) install -q -e ".[lava]"
	$(PIP) install -q --no-deps --ignore-requires-python "lava-nc==0.10.0"
	@touch $@

$(DEV): $(BASE)
	$(PIP) install -q -e ".[lava,dev]"
	@touch $@

$(TRAIN): $(BASE)
	$(PIP) install -q "torch==2.13.0"
	$(PIP) install -q -e ".[lava,train]"
	@touch $@

demo: setup
	$(VENV)/bin/python tools/demo.py

lint: setup-dev
	$(VENV)/bin/ruff check neurodeploy tools tests models
	$(VENV)/bin/ruff format --check neurodeploy tools tests models
	$(VENV)/bin/mypy

test: lint
	$(VENV)/bin/python -m pytest

clean:
	rm -rf $(VENV) build dist out
