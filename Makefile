PYTHON ?= python3
PY := .venv/bin/python

.PHONY: verify test fuzz lint docs results soundness package bench clean

verify: .venv/ready
	$(PY) -m simnet verify

# the tests run side by side: with several threads each, BLAS would wait for itself
test: .venv/ready
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadgroup

# make fuzz MINUTES=120: damaged files, command lines and random networks; every round draws others
MINUTES ?= 10
fuzz: .venv/ready
	end=$$(( $$(date +%s) + 60 * $(MINUTES) )); round=0; while [ $$(date +%s) -lt $$end ]; do round=$$(( round + 1 )); \
	$(PY) -m pytest tests/fuzz -q -n 2 --hypothesis-profile=fuzz --hypothesis-seed=$$(( $$(date +%s) )) || exit 1; done; \
	echo "$$round rounds without a finding"

lint: .venv/lint-ready
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

docs: .venv/docs-ready
	$(PY) -m sphinx -b html -W --keep-going -q docs build/docs
	@echo build/docs/index.html

results: .venv/ready
	status=0; for study in experiments/*.toml; do $(PY) -m simnet sweep $$study || status=1; done; exit $$status
	$(PY) -m experiments.decoders
	$(PY) -m experiments.unrolling
	mkdir -p results/animations build
	for study in attribute_recovery blind_edges blind_noise; do $(PY) -m simnet report results/$$study --figures -o build/$$study.html; done
	$(PY) -m paper_checks.table
	$(PY) -m simnet animate similarity -o results/animations/similarity.gif
	$(PY) -m simnet animate flow -o results/animations/flow.gif

# hours: the verification itself, over 200 seeds and with every planted defect
soundness: .venv/ready
	status=0; for study in experiments/soundness/*.toml; do $(PY) -m simnet sweep $$study || status=1; done; exit $$status

# source archive and wheel, and the command from the wheel in an environment that has nothing but the core dependencies
package: .venv/lint-ready
	rm -rf dist build/empty
	$(PY) -m build --quiet
	$(PYTHON) -m venv build/empty
	build/empty/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt dist/*.whl
	cd build && empty/bin/simnet demo truncation && empty/bin/simnet verify --quick --property matrices

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
