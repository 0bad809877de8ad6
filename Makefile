# EventOps. `make` lists what there is to do. Needs only make and Python 3.11 or newer.
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PORT ?= 8000
UV_VERSION := 0.13.8
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
STACK := $(PY) -m devstack exec --
export UV_PYTHON_DOWNLOADS := never

.PHONY: help run test check bench lock clean reset psql manage \
	check-style check-types check-layers check-templates check-dead check-deps check-migrations check-deploy check-committed

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 18

run: $(STAMP) ## the product with demo data on http://localhost:8000 (PORT=… chooses another port)
	@PORT=$(PORT) $(PY) -m devstack run

test: $(STAMP) ## the whole test suite (ARGS="-k name" narrows it, JOBS=4 runs four at a time)
	@$(STACK) $(PY) -m pytest $(if $(JOBS),-n $(JOBS) --dist loadfile) $(ARGS)

check: check-style check-types check-layers check-templates check-dead check-deps check-migrations check-deploy check-committed ## every static check
	@echo "make check: all green"

bench: $(STAMP) ## the measured figures as JSON lines (ONLY=name,… for some)
	@$(STACK) $(PY) -m bench $(if $(ONLY),--only $(ONLY))

lock: $(STAMP) ## pin the dependencies of pyproject.toml by hash into requirements/
	$(UV) pip compile -q pyproject.toml --generate-hashes --no-emit-index-url --no-annotate --universal --python-version 3.11 -o requirements/base.txt
	$(UV) pip compile -q pyproject.toml --group local --group test --group check --generate-hashes --no-emit-index-url --no-annotate --universal --python-version 3.11 -c requirements/base.txt -o requirements/dev.txt

clean: ## remove what make has built; the demo's data stays
	@if [ -x $(PY) ]; then $(PY) -m devstack stop; fi
	rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage coverage.xml artifacts staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

reset: $(STAMP) ## delete the demo's data and start over with the next make run
	@$(PY) -m devstack purge

psql: $(STAMP) ## a superuser prompt on the embedded database
	@$(PY) -m devstack psql

manage: $(STAMP) ## a management command on the embedded services: make manage ARGS="check"
	@$(STACK) $(PY) manage.py $(ARGS)

check-style: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

check-types: $(STAMP)
	$(PY) -m devstack env -- $(PY) -m mypy .

check-layers: $(STAMP)
	$(VENV)/bin/lint-imports

check-templates: $(STAMP)
	$(VENV)/bin/djlint --quiet --lint templates $(wildcard sandbox)

check-dead: $(STAMP)
	$(PY) .ci/check_dead.py

check-deps: $(STAMP)
	$(VENV)/bin/deptry .

check-migrations: $(STAMP)
	$(STACK) $(PY) manage.py makemigrations --check --dry-run

check-deploy: $(STAMP)
	$(STACK) $(PY) .ci/check_deploy.py

check-committed: $(STAMP)
	$(PY) .ci/check_committed.py

$(STAMP): requirements/dev.txt | $(UV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "EventOps needs Python 3.11 or newer; PYTHON=/path/to/python3 chooses one."; exit 1; }
	@test -x $(PY) || $(UV) venv -q --python "$$(command -v $(PYTHON))" $(VENV)
	@echo "Installing the locked dependencies into $(VENV)"
	@$(UV) pip sync -q --require-hashes --python $(PY) requirements/dev.txt || \
	{ echo "Trying again with the system's certificates"; UV_SYSTEM_CERTS=1 $(UV) pip sync -q --require-hashes --python $(PY) requirements/dev.txt; }
	@touch $@

# uv comes as an ordinary package. Debian's python3 may lack venv; then pip puts it into a folder of its own.
.tools/bin/uv:
	@echo "Installing uv $(UV_VERSION) into .tools"
	@rm -rf .tools
	@if $(PYTHON) -m venv .tools >/dev/null 2>&1; then .tools/bin/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION); \
	else rm -rf .tools; $(PYTHON) -m pip install -q --disable-pip-version-check --target .tools uv==$(UV_VERSION); fi || \
	{ rm -rf .tools; echo "Could not install uv: install it yourself, or python3-venv, or python3-pip, and run make again."; exit 1; }
