PYTHON ?= python3
PY := .venv/bin/python

.PHONY: verify test lint docs results bench clean

verify: .venv/ready
	$(PY) -m simnet verify

# the tests run side by side: with several threads each, BLAS would wait for itself
test: .venv/ready
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 2

lint: .venv/lint-ready
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

docs: .venv/docs-ready
	$(PY) -m sphinx -b html -W --keep-going -q docs build/docs
	@echo build/docs/index.html

results: .venv/ready
	status=0; for study in experiments/*.toml; do $(PY) -m simnet sweep $$study || status=1; done; exit $$status
	$(PY) -m experiments.decoders
	$(PY) -m experiments.unrolling
	mkdir -p results/animations build
	$(PY) -m simnet report results/attribute_recovery --figures -o build/attribute_recovery.html
	$(PY) -m simnet animate similarity -o results/animations/similarity.gif
	$(PY) -m simnet animate flow -o results/animations/flow.gif

bench: .venv/ready
	$(PY) -m benchmarks

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

.venv/lint-ready: .venv/ready
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lint]'
	touch $@

.venv/docs-ready: .venv/ready
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	touch $@

clean:
	rm -rf .venv build *.egg-info
