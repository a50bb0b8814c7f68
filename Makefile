# Two commands on a fresh machine: `make demo` shows keyward at work, `make test` runs the whole suite.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# the tests wait for servers more than they compute, so four processes fit on two cores
WORKERS ?= 4

.PHONY: demo picture test lint wheel bench clean help ci-deps

help:
	@echo "make demo    install keyward into $(VENV) and play a breach on servers of its own: find, replace, prove, scrub, report"
	@echo "make picture take the picture of the drill's report that README shows (needs Chromium)"
	@echo "make test    install everything that the tests need and run the whole suite"
	@echo "make lint    ruff, mypy --strict, import-linter"
	@echo "make ci-deps install the Debian packages of servers that some tests need (.ci/run does it)"
	@echo "make wheel   build the wheel, install it into a clean environment, run it once"
	@echo "make bench   compare with other scanners on the same input (takes minutes)"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/keyward drill -o keyward-drill.html

picture: $(VENV)/.demo
	$(BIN)/keyward drill -o build/drill.html
	$(BIN)/python tests/report/photograph.py build/drill.html docs/images/incident-report.png

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

ci-deps:
	@.ci/deps

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: $(VENV)/.test
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --wheel --outdir build/wheel .
	$(PYTHON) -m venv build/wheel/env
	build/wheel/env/bin/python -m pip install --quiet --disable-pip-version-check build/wheel/*.whl
	cd build/wheel && env/bin/keyward --version && printf 'nothing to see here\n' | env/bin/keyward scan -
	cd build/wheel && env/bin/keyward rules list github

bench: $(VENV)/.test
	$(BIN)/python benchmarks/scan.py

clean:
	rm -rf $(VENV) build dist *.egg-info
