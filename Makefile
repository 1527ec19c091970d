# `make setup` builds .venv with everything the main job needs; demo and test call it.
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
BASE := $(VENV)/.base
DEV := $(VENV)/.dev
TRAIN := $(VENV)/.train
BENCH := $(VENV)/.bench
SITE := $(VENV)/.site
NOTEBOOKS := $(VENV)/.notebooks
NODE := build/node

.PHONY: setup setup-browser setup-dev setup-train setup-bench setup-site demo demo-mlf test lint clean
.PHONY: site check-pages notebooks

setup: $(BASE)
setup-dev: $(DEV)
setup-train: $(TRAIN)
setup-bench: $(BENCH)
setup-site: $(SITE)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# lava-nc 0.10.0 says Python <3.11 and numpy <2; it runs on 3.10 to 3.13 (docs/lava.md), so
# `setup-lava` installs it past its metadata, and what it imports.
$(BASE): $(VENV)/bin/python pyproject.toml Makefile
	$(PIP) install -q --upgrade "pip>=24"
	$(PIP) install -q -e .
	$(VENV)/bin/neurodeploy setup-lava
	@touch $@

$(DEV): $(TRAIN)
	$(PIP) install -q -e ".[lava,nir,dev]"
	@touch $@

# The `train` extra without what SpikingJelly pulls in and its neurons and layers do not import
# (torchvision, torchaudio, tensorboard and more).
$(TRAIN): $(BASE)
	$(PIP) install -q "torch==2.13.0" "loguru<1" tqdm
	$(PIP) install -q --no-deps "spikingjelly==2.0.0"
	@touch $@

# The peers of tools/bench_simulator.py, without what they pull in and the benchmark does not use.
$(BENCH): $(TRAIN)
	$(PIP) install -q --no-deps sinabs==3.1.3 snntorch==1.0.0 norse==1.1.0
	$(PIP) install -q --no-deps nirtorch==2.6 pbr
	$(PIP) install -q matplotlib nir==1.0.8 h5py requests faery==0.7.1
	@touch $@

# The documentation: mkdocs-material and mkdocstrings. Once it is there, no network is needed.
$(SITE): $(BASE)
	$(PIP) install -q -e ".[lava,docs]"
	@touch $@

$(NOTEBOOKS): $(DEV)
	$(PIP) install -q -e ".[lava,nir,dev,notebooks]"
	@touch $@

# For tests/report/test_browser.py, which is skipped without it. Debian's chromium serves.
setup-browser:
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -q && apt-get install -y -q chromium; \
	else echo "install Chromium: sudo apt-get install chromium, or your system's package"; exit 1; fi

demo: setup
	$(VENV)/bin/python tools/demo.py

demo-mlf: setup
	$(VENV)/bin/python tools/demo_mlf.py

# -> build/site/index.html; a broken link or anchor is an error
site: setup-site
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

# Accessibility of the site and of a report in Chromium (make setup-browser), by axe-core
check-pages: site $(NODE)
	$(VENV)/bin/neurodeploy compile models/fashion_cnn/model.onnx --calibration models/fashion_cnn/calibration.npz --scheme radix -o build/fashion.ndp
	$(VENV)/bin/neurodeploy report build/fashion.ndp --data models/fashion_cnn/test.npz --model models/fashion_cnn/model.onnx -o build/report.html
	NODE_MODULES=$(NODE) node tools/check_pages.mjs build/site build/report.html --shots build/shots

$(NODE):
	PUPPETEER_SKIP_DOWNLOAD=1 npm install --silent --prefix $(NODE) axe-core@4 puppeteer-core@24

# Every cell of docs/notebooks/, as pytest runs it; what they print is not kept
notebooks: $(NOTEBOOKS)
	PATH="$(abspath $(VENV))/bin:$$PATH" $(VENV)/bin/python -m pytest --nbmake --nbmake-timeout=600 docs/notebooks

lint: setup-dev
	$(VENV)/bin/ruff check neurodeploy tools tests models
	$(VENV)/bin/ruff format --check neurodeploy tools tests models
	$(VENV)/bin/mypy

# Two files of tests at a time; a file stays in one process, for its fixtures.
test: lint
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile

clean:
	rm -rf $(VENV) build dist out
