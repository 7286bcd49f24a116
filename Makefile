# The commands of this repository. What takes more than a line is a script in scripts/.
.PHONY: help run test cover check bench lock translate screenshots
.DEFAULT_GOAL := help

PHOTOS ?=
export PHOTOS

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 14

run: ## Set everything up and start; PHOTOS=/path/to/photos (without it: a small sample album)
	@scripts/run.sh

test: ## Install what the tests need and run all of them
	@scripts/test.sh

cover: ## As test, and show the lines that no test runs; half as fast
	@scripts/test.sh --cov --cov-report=term

check: ## Lint, format, types and layers only
	@scripts/check.sh

bench: ## Measure speed and memory; prints ratios
	@scripts/bench.sh

lock: ## Resolve the locked dependencies again (needs the network)
	@scripts/lock.sh

translate: ## Collect the texts of all pages and bring the translations up to date
	@scripts/setup.sh test && .venv/bin/python -m scripts.translate

screenshots: ## Draw the pictures of docs/screenshots.md again
	@scripts/setup.sh test && .venv/bin/python -m scripts.screenshots
