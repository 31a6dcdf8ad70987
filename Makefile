# The commands of this project. `make run` needs nothing but python3 (3.11 or newer) and pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes
# Tests in parallel; 1 shows them one after the other.
JOBS ?= 2
# Passed on to pytest: make test ARGS="-k outbox -x"
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check format bench locale docs lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: $(VENV)/.runtime ## Install, prepare instance/, start the portal and its worker, print the address
	@exec $(BIN)/collab run

test: $(VENV)/.test ## Install what the tests need and run all of them, on both databases and in a browser
	@tools/install-for-tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --database both $(ARGS)

# All of them, also when the first finds something.
CHECKS := "ruff check" "ruff format --check" mypy "lint-imports --no-cache" \
	"python tools/translations.py check" "python tools/lock.py check"

check: $(VENV)/.check ## Lint, types, import rules, translations, locks
	@failed=0; for one in $(CHECKS); do echo "== $$one"; $(BIN)/$$one || failed=1; done; exit $$failed

format: $(VENV)/.check ## Put the code into the one format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.test ## Run the benchmarks beside their floors; print a table, write JSON
	$(BIN)/python -m bench $(ARGS)

locale: $(VENV)/.runtime ## Take new sentences into the catalogues and compile them
	$(BIN)/python tools/translations.py update
	$(BIN)/python tools/translations.py compile

docs: $(VENV)/.runtime ## Write docs/settings.md and docs/permissions.md anew
	$(BIN)/python tools/settings_page.py
	$(BIN)/python tools/permissions_page.py

lock: $(VENV)/.runtime ## Pin the newest versions pyproject.toml allows, with hashes
	$(PIP) install uv
	$(BIN)/python tools/lock.py write

clean: ## Remove what the tools made; instance/ stays
	rm -rf $(VENV) build dist test-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find collab tests tools bench -name __pycache__ -prune -exec rm -rf {} +
	find collab -name '*.mo' -delete

# A stamp file says what .venv holds, so that a second `make run` installs nothing.
# Debian's python3 without python3-venv cannot put pip into a new environment: the system's pip does it then.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --without-pip $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m pip --quiet --python $(BIN)/python install pip
	@touch $@

$(VENV)/.runtime: $(VENV)/.created requirements/runtime.txt requirements/build.txt pyproject.toml hatch_build.py
	@echo "Installing into $(VENV) ..."
	@$(INSTALL) -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime requirements/postgres.txt requirements/pdf.txt requirements/test.txt
	@echo "Installing what the tests need ..."
	@$(INSTALL) -r requirements/postgres.txt -r requirements/pdf.txt -r requirements/test.txt
	@touch $@

$(VENV)/.check: $(VENV)/.test requirements/check.txt
	@echo "Installing what the checks need ..."
	@$(INSTALL) -r requirements/check.txt
	@touch $@
