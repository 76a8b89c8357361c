# Every target makes what it needs once; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROFILE ?= cpu
trainer ?= cpu
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
SEEDS ?= 0,1,2
N ?= 1000000
SEED ?= 0
KILLS ?= 50
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
FUZZ_READY := $(VENV)/.ready-fuzz
DOCS_READY := $(VENV)/.ready-docs

.PHONY: help setup reproduce reproduce-mnist reproduce-cifar10 reproduce-cifar100 reproduce-imagenet test lint results check-results report bench-clustering bench-training bench-inference bench-artifact bench-records fuzz soak docs clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv with the locked packages and clusterpress in it

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	# Without boto3, which only its launcher for AWS uses and which refuses the locked python-dateutil.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps hydra-ray-launcher==1.2.2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

reproduce: $(READY) ## all papers on the embedded digits (no download), then the comparison
	$(BIN)/clusterpress reproduce --data digits --seeds $(SEEDS) --jobs $(JOBS)

reproduce-mnist: $(READY) ## all papers on the real MNIST (60,000 / 10,000), then the comparison
	$(BIN)/clusterpress reproduce --data mnist --seeds $(SEEDS) --jobs $(JOBS)

# One training at a time: a network of this size keeps all cores busy by itself.
reproduce-cifar10: $(READY) ## all papers on CIFAR-10; says first how long. PROFILE=paper trainer=gpu for the full schedules
	$(BIN)/clusterpress reproduce --data cifar10 --seeds $(SEEDS) --set profile=$(PROFILE) --set trainer=$(trainer)

reproduce-cifar100: $(READY) ## all papers on CIFAR-100, likewise
	$(BIN)/clusterpress reproduce --data cifar100 --seeds $(SEEDS) --set profile=$(PROFILE) --set trainer=$(trainer)

# The images cannot be fetched; torchvision's weights are, where they are missing.
reproduce-imagenet: $(READY) ## ImageNet claims, for who has the images. PROFILE=paper trainer=gpu
	$(BIN)/clusterpress reproduce --data imagenet --seeds $(SEEDS) --set profile=$(PROFILE) --set trainer=$(trainer)

test: $(READY) ## lint, types, all tests
	$(BIN)/ruff check src tests docs/hooks
	$(BIN)/ruff format --check src tests docs/hooks
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(READY) ## format and lint in place
	$(BIN)/ruff format src tests docs/hooks
	$(BIN)/ruff check --fix src tests docs/hooks

results: $(READY) ## records.csv, tables and figures under results/, and the README's block
	$(BIN)/clusterpress results

check-results: $(READY) ## fail when results/ or the README are stale
	$(BIN)/clusterpress results --check

report: $(READY) ## results/report.html: one page of all results, opened without a network
	$(BIN)/clusterpress report

bench-clustering: $(BENCH_READY) ## clustering against its peers (about 25 minutes): results/bench/clustering.csv
	$(BIN)/python -m clusterpress.bench.clustering

bench-training: $(READY) ## training against other loops (about 15 minutes): results/bench/training.csv
	$(BIN)/python -m clusterpress.bench.training

bench-inference: $(READY) ## shared-kernel layers against dense ones: results/bench/inference.csv
	$(BIN)/python -m clusterpress.bench.inference

bench-records: $(READY) ## compare and report on 1,000 to 100,000 records: results/bench/records.csv
	$(BIN)/python -m clusterpress.bench.records

# NNCodec needs numpy < 2, so it has an environment of its own; where that fails its row says so.
NNCODEC := .venv-nncodec
bench-artifact: $(BENCH_READY) ## the file against others in size, and its speed: results/bench/artifact.csv, untrained.csv
	test -x $(NNCODEC)/bin/python || $(PYTHON) -m venv $(NNCODEC)
	-$(NNCODEC)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-nncodec.lock
	-$(NNCODEC)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation nncodec==2.1.3
	if $(NNCODEC)/bin/python -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('nncodec') is None)"; then export CLUSTERPRESS_NNCODEC=$(NNCODEC)/bin/python; fi; $(BIN)/python -m clusterpress.bench.artifact

fuzz: $(FUZZ_READY) ## N= damaged files against the reader from SEED=: results/bench/fuzz.csv
	$(BIN)/python -m clusterpress.bench.fuzz --files $(N) --seed $(SEED) --jobs $(JOBS)

soak: $(READY) ## KILLS= kills of a sweep at random instants from SEED=, each a start of it: results/bench/soak.csv
	$(BIN)/python -m clusterpress.bench.soak --kills $(KILLS) --seed $(SEED)

$(FUZZ_READY): $(READY) requirements-fuzz.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.lock -c requirements.lock
	touch $@

$(BENCH_READY): $(READY) requirements-bench.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.lock -c requirements.lock
	touch $@

docs: $(DOCS_READY) ## the documentation site, into site/; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(DOCS_READY): $(READY) requirements-docs.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.lock -c requirements.lock
	touch $@

clean: ## remove the environment and caches; never the store
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist site
