# Each target prepares the environment by itself: see .ci/setup.sh.
.PHONY: help setup demo test test-slow fuzz docs lint format benchmark screenshots

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

# Processes that share the tests; 0 runs them in one, with output as they print it.
PROCESSES := 2

PAGES := napari_cowgan/help/pages/index.html
$(PAGES): mkdocs.yml $(wildcard docs/*.* docs/*/*.md) | setup
	.ci/docs.sh

setup: ## Prepare .venv and the system libraries
	@.ci/setup.sh

demo: setup $(PAGES) ## Open the explorer; without a display, save what it shows to demo-output/
	@if [ "$$(uname)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		.ci/headless.sh .venv/bin/python examples/demo.py --save demo-output; \
	else \
		.venv/bin/python examples/demo.py; \
	fi

test: setup ## Run the tests on virtual screens
	.ci/test.sh -n $(PROCESSES)

test-slow: setup ## Run the long proofs
	.ci/headless.sh .venv/bin/pytest -m slow --benchmark-disable

fuzz: setup ## Throw 12,000 damaged files at every reader; takes some minutes
	PYTHONPATH=tests OMP_NUM_THREADS=1 .venv/bin/python -m fuzz.campaign

docs: setup ## Build and check the documentation, where the "?" of every panel finds it
	.ci/docs.sh
	@echo "Open $(PAGES)"

lint: setup ## Check style, types, layering and the plugin manifest
	.ci/lint.sh

format: setup ## Apply the style
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

benchmark: setup ## Time the engine against its physical limits
	.ci/headless.sh .venv/bin/pytest tests/benchmarks --benchmark-only -s

screenshots: setup ## Draw every window and panel
	.ci/headless.sh .venv/bin/python tests/gui/screenshots.py
