# Needs Python 3.11 or newer; all else is installed into .venv.
#
#   make demo         cluster scikit-learn's Digits, print scores, draw the embeddings
#   make test         the tests, but for the slow ones
#   make test-slow    the slow tests alone: they train on real data for minutes
#   make test-oldest  the tests with the oldest versions that setup.cfg allows
#   make types        the type hints, by mypy
#   make doc          the pages of doc/, into doc/_build; runs the gallery's examples
#   make notebooks    the same, and runs the notebooks that the gallery offers
#   make clean        remove the environment and what the tools leave behind

PYTHON ?= python3
# any requirement that pip understands, to choose a CPU build for instance
TORCH ?= torch==2.13.0

VENV := .venv
RUN := $(VENV)/bin/python
# the lowest version of each requirement, from setup.cfg
OLDEST := $(shell sed -n '/^install_requires/,/^$$/s/^ *\([a-z-]*\)>=/\1==/p' setup.cfg)
INSTALL := $(RUN) -m pip install -qq --disable-pip-version-check
# two processes with a thread each: the networks of the tests are small; tests that stand
# side by side run in the same one for the most part, and share what is fitted for them
PYTEST := OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist worksteal

.PHONY: demo test test-slow test-oldest types doc notebooks clean

# on a busy machine, or one with a quota, threads must not wait for each other busily
demo: $(VENV)/with-demo
	OMP_WAIT_POLICY=passive $(RUN) benchmarks/digits_demo.py

test: $(VENV)/with-test
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/with-test
	$(PYTEST) -m slow

# the export to ONNX, an extra, needs a newer torch
test-oldest:
	PYTEST_ADDOPTS="--ignore tests/test_onnx.py --ignore deepdensity/onnx.py" \
		$(MAKE) test VENV=.venv-oldest TORCH="$(OLDEST)"

types: $(VENV)/with-test
	$(RUN) -m mypy

doc: $(VENV)/with-doc
	OMP_NUM_THREADS=1 $(RUN) -m sphinx -W --keep-going -q -j 2 -b html doc doc/_build

notebooks: doc
	OMP_NUM_THREADS=1 $(VENV)/bin/jupyter-execute --timeout=600 doc/auto_examples/*.ipynb

clean:
	rm -rf $(VENV) .venv-oldest build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	rm -rf doc/_build doc/generated doc/auto_examples doc/sg_execution_times.rst
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# stamps: the environment with torch, then the package with one of its extras, none of
# which may bring another torch
$(VENV)/with-torch:
	@echo "Creating $(VENV) with $(TORCH)"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) $(TORCH)
	@touch $@

$(VENV)/with-%: $(VENV)/with-torch setup.cfg pyproject.toml
	@echo "Installing deepdensity[$*]"
	@$(INSTALL) $(TORCH) --editable ".[$*]"
	@touch $@
