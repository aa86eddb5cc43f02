# Everything a developer asks of the project. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
STEPS := 7

.DEFAULT_GOAL := help
.PHONY: help demo test lab lint notebooks bench fuzz chaos env servers format docs protos lock clean

help: ## say what there is
	@echo "make TARGET; the first two work on a fresh clone:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name says; do printf '%-12s %s\n' "  $$name" "$$says"; done

demo: ## run the quickstart notebook on a local cluster and print what each cell gave (needs Python >= 3.11)
	@$(PYTHON) tools/demo.py

test: ## environment, servers, lint, notebooks, tests (needs Python >= 3.11 and, once, Debian's apt)
	@$(PYTHON) tools/setup_env.py dev --of $(STEPS)
	@echo "[4/$(STEPS)] Chromium, etcd and Go, for tests that need them"
	@$(PYTHON) tools/servers.py
	@echo "[5/$(STEPS)] ruff, mypy, import-linter, generated files"
	@$(MAKE) --no-print-directory checks
	@echo "[6/$(STEPS)] the notebooks give what is saved in them"
	@$(BIN)/python tools/check_notebooks.py
	@echo "[7/$(STEPS)] the tests"
	@$(BIN)/python -m pytest

lab: env ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

lint: env ## ruff, mypy --strict, the layers, and whether the generated files are fresh
	@$(MAKE) --no-print-directory checks

.PHONY: checks
checks:
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/test_generated.py tests/test_errors_page.py tests/schema/test_rules_page.py tests/schema/test_arrow_page.py

notebooks: env ## run the notebooks and compare with what is saved
	@$(BIN)/python tools/check_notebooks.py

bench: env ## measure, each figure beside its floor in the same run
	$(BIN)/python -m benchmarks

fuzz: env ## read 120,000 damaged texts, JSON bodies and messages of schemas (FTL_FUZZ=n, FTL_FUZZ_SEED=n)
	FTL_FUZZ=$${FTL_FUZZ:-120000} $(BIN)/python -m pytest tests/schema/test_fuzz.py --timeout=0

chaos: env servers ## kill and freeze what serves the stores, and check every history (FTL_STORE_SECONDS=n, FTL_STORE_SEED=n)
	FTL_STORE_SECONDS=$${FTL_STORE_SECONDS:-180} $(BIN)/python -m pytest tests/store/test_linearizable.py -s

env: ## make .venv with everything for development; installs nothing twice
	@$(PYTHON) tools/setup_env.py dev

servers: ## make sure of what the tests need beside Python: Chromium, etcd, Go
	@$(PYTHON) tools/servers.py

format: env ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: env ## write docs/errors.md from the catalogue of errors, docs/schema-rules.md from the rules, docs/arrow.md
	$(BIN)/python tools/error_pages.py
	$(BIN)/python tools/schema_rules_page.py
	$(BIN)/python tools/arrow_page.py

protos: env ## write the modules of the .proto files
	$(BIN)/python tools/generate_protos.py

lock: env ## write requirements/*.lock from pyproject.toml (tools/lock.py --upgrade takes newer versions)
	$(BIN)/python tools/lock.py

clean: ## remove what was made, .venv and the state of the notebooks' clusters included
	rm -rf .venv build dist .ftl notebooks/.ftl .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
