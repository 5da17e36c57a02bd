# Two commands: `make demo` shows the main job, `make test` proves it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint clean

demo: $(VENV)/installed
	rm -rf demo-run demo-report
	$(BIN)/friction run decimal_multiplication hex_multiplication --limit 200 \
	  --solver student/default --feedback-model student/keen \
	  --feedback binary --feedback self --feedback process --feedback strong \
	  --feedback tutor --feedback retry --feedback placebo --temperature 0.7 --out demo-run
	$(BIN)/friction report demo-run --out demo-report
	@echo
	@echo "This was a simulation: a student with known parameters answered, no language model."
	@echo "The run is in demo-run/, its report in demo-report/index.html. See more of it with:"
	@echo "  $(BIN)/friction results demo-run --json"
	@echo "  $(BIN)/friction export demo-run --to jsonl"

test: $(VENV)/installed-dev
	$(MAKE) lint
	$(BIN)/pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) demo-run demo-report

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[report]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@
