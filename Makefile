# Two commands: `make demo` shows the main job, `make test` proves it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-all lint clean

demo: $(VENV)/installed
	rm -rf demo-run demo-report
	$(BIN)/friction run decimal_multiplication --digits 3 --limit 80 --iterations 3 \
	  --solver pocket/abacus --sampling greedy --sampling heat+reject \
	  --feedback binary --feedback self --feedback tutor --feedback retry \
	  --feedback placebo:tutor --out demo-run
	$(BIN)/friction report demo-run --out demo-report
	@echo
	@echo "pocket/abacus answered: a small language model, trained for this and in this package."
	@echo "It is a working miniature of feedback friction, and no evidence about large models."
	@echo "The run is in demo-run/, its report in demo-report/index.html. See more of it with:"
	@echo "  $(BIN)/friction results demo-run --json"
	@echo "  $(BIN)/friction export demo-run --to jsonl"

test: $(VENV)/installed-dev
	$(MAKE) lint
	$(BIN)/pytest --numprocesses auto --dist loadfile

# The tests that need torch and transformers, and no others.
test-all: $(VENV)/installed-heavy
	$(BIN)/pytest -m heavy

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
	$(BIN)/pip install --quiet --editable '.[pocket,report,view]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

# torch by itself and first, so that pip takes a CPU build (180 MB) where it is shown one, instead of
# several GB of CUDA: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu shows it one.
$(VENV)/installed-heavy: $(VENV)/installed-dev
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --editable '.[heavy]'
	touch $@
