# `make run` shows what lrfind does; `make check` is everything a change must pass. Needs python3 (3.11 or newer) only.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
# Pinned exactly: the losses of this version are what ours are compared with.
TORCH := torch==2.13.0
RUN_DATA ?= sample_data/healthcare_breast_cancer.csv
RUN_OUT ?= lrfind-runs/make-run
# Pass more to pytest: make test ARGS="-k sweep".
ARGS ?=
# Repetitions of the whole-process benchmarks.
REPEAT ?= 5

# One BLAS thread: at these sizes more are slower, and the test processes share the cores.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: help run test torch frameworks slow browser lint bench bench-smoke experience rate-weights rivals check clean
.DEFAULT_GOAL := help

help:
	@echo "make run    install into $(VENV), sweep a sample table, say where the report is"
	@echo "make test   the quick tests, with coverage"
	@echo "make slow   the tests that take minutes"
	@echo "make browser  the report in a real browser (chromium)"
	@echo "make torch  the comparisons with PyTorch"
	@echo "make frameworks  exported code run in torch, lightning, keras, optax and transformers, and logs they write"
	@echo "make lint   style, types and layers"
	@echo "make bench  time and memory against torch-lr-finder and PyTorch, and the time of check"
	@echo "make experience  run the races that lrfind learns from anew (TABLES=folder of NAME.train.csv)"
	@echo "make rate-weights  train the runs that diagnose learned from anew, and fit (POOL=folder, TWINS=folder to keep them)"
	@echo "make rivals PROBLEMS=FOLDER  regret against other ways to choose a rate; see tests/benchmarks/problems.py"
	@echo "make check  all but bench, experience, rate-weights and rivals"
	@echo "make clean  remove $(VENV) and everything made"

# --- What is installed; a stamp says that it is, so that a second call installs nothing. ---

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lrfind needs Python 3.11 or newer; try make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml
	@echo "installing lrfind into $(VENV)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "installing what the tests need"
	@$(PIP) -e '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.run
	@echo "installing what the checks need"
	@$(PIP) -e '.[lint]'
	@touch $@

$(VENV)/.torch: $(VENV)/.test
	@echo "installing $(TORCH)"
	@$(PIP) $(TORCH)
	@touch $@

# torch in the same breath, so that nothing else chooses another build of it
$(VENV)/.frameworks: $(VENV)/.torch
	@echo "installing the frameworks that code is exported for"
	@$(PIP) $(TORCH) -e '.[frameworks]'
	@touch $@

$(VENV)/.rivals: $(VENV)/.torch
	@echo "installing what lrfind is compared with"
	@$(PIP) $(TORCH) -e '.[rivals]'
	@touch $@

$(VENV)/.bench: $(VENV)/.torch
	@echo "installing torch-lr-finder"
	@$(PIP) $(TORCH) torch-lr-finder tqdm packaging
	@touch $@

# --- What can be asked for. ---

run: $(VENV)/.run
	$(BIN)/lrfind sweep $(RUN_DATA) --out $(RUN_OUT) --force
	@echo
	@echo "The report: $(RUN_OUT)/report.html    your own data: $(BIN)/lrfind sweep FILE.csv"

test: $(VENV)/.test
	$(BIN)/pytest -n 2 --cov --cov-report=term $(ARGS)

slow: $(VENV)/.test
	$(BIN)/pytest -n 2 -m "slow and not torch and not frameworks and not browser" $(ARGS)

browser: $(VENV)/.test
	$(BIN)/pytest -m browser $(ARGS)

torch: $(VENV)/.torch
	$(BIN)/pytest -m torch $(ARGS)

frameworks: $(VENV)/.frameworks
	$(BIN)/pytest -n 2 -m frameworks $(ARGS)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Races anew what lrfind ships as experience: about an hour.
experience: $(VENV)/.test
	$(BIN)/python tests/benchmarks/build_experience.py $(if $(TABLES),--tables $(TABLES))

# Trains anew the runs whose best rate is known, and fits what diagnose judges rates by: about two hours.
rate-weights: $(VENV)/.bench
	$(BIN)/python tests/benchmarks/training_pool.py $(or $(POOL),$(VENV)/pool) --seed 1 --bases 270 --plain
	$(BIN)/python tests/benchmarks/training_pool.py $(or $(POOL),$(VENV)/pool) --seed 2 --bases 339
	$(BIN)/python tests/benchmarks/training_pool.py $(or $(POOL),$(VENV)/pool) --seed 3 --bases 390
	$(BIN)/python tests/benchmarks/training_pool.py $(or $(TWINS),$(VENV)/twins) --seed 5 --bases 368 --twins
	$(BIN)/python tests/benchmarks/build_rate_weights.py $(or $(POOL),$(VENV)/pool) $(or $(TWINS),$(VENV)/twins)

bench: $(VENV)/.bench
	$(BIN)/python tests/benchmarks/bench_startup.py
	$(BIN)/python tests/benchmarks/bench_step.py
	$(BIN)/python tests/benchmarks/bench_process.py --repeat $(REPEAT)
	$(BIN)/python tests/benchmarks/bench_check_time.py

# That the benchmarks still run; their figures are not judged.
bench-smoke: $(VENV)/.bench
	$(BIN)/python tests/benchmarks/bench_startup.py --repeat 1 --no-judge
	$(BIN)/python tests/benchmarks/bench_step.py --repeat 1 --no-judge
	$(BIN)/python tests/benchmarks/bench_process.py --repeat 1 --no-judge
	$(BIN)/python tests/benchmarks/bench_check_time.py --repeat 1 --only 10 --no-judge

rivals: $(VENV)/.rivals
	@test -n "$(PROBLEMS)" || { echo "name a folder of problems: make rivals PROBLEMS=FOLDER"; exit 2; }
	$(BIN)/python tests/benchmarks/bench_rivals.py $(PROBLEMS) $(ARGS)

check: lint test slow torch frameworks

clean:
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
