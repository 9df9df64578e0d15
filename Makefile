# Everything runs in .venv, made from Python 3.11 or newer; nothing else is needed but make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# By the environment, so that the versions hold for the build of the package too; newer pips have a name for that.
PINNED := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
PIP := $(PINNED) $(BIN)/python -m pip --disable-pip-version-check install --quiet
RECENT := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
OUT := out/bond-2019-nine-rcts

# With make -j, nothing may run while pip still installs.
.NOTPARALLEL:

.PHONY: reproduce test lint types suite format schemas documents images reference close clean

reproduce: $(VENV)/.installed  ## the nine-trial analysis: verdicts on the terminal, report and forest plot in out/
	@$(BIN)/ipsevidence reproduce bond-2019-nine-rcts --out $(OUT)

test: lint types suite  ## lint, types and the whole suite

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/ipsevidence validate
	@$(BIN)/ipsevidence fmt --check
	@$(BIN)/ipsevidence run --all --check

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

suite: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n auto --dist loadfile

format: $(VENV)/.installed-dev  ## put code and records into their canonical form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/ipsevidence fmt

schemas: $(VENV)/.installed  ## regenerate schema/ from the models
	@$(BIN)/python -c 'from pathlib import Path; from ipsevidence.analysis.schemas import write_schemas; write_schemas(Path("schema"))'

close: $(VENV)/.installed  ## keep what the records of this version hold, when it is released
	@$(BIN)/python -c 'from ipsevidence import load; from ipsevidence.dataset.closing import close; close(load())'

documents: $(VENV)/.installed  ## regenerate the pages of docs/ that come from registries and records
	@$(BIN)/python -c 'from pathlib import Path; from ipsevidence import load; from ipsevidence.report.documents import write_documents; write_documents(load(), Path("docs"))'

images: $(VENV)/.installed  ## regenerate the figures that the documents show
	@$(BIN)/ipsevidence figure forest bond-2019-nine-rcts -o docs/images/bond-2019-nine-rcts.png
	@$(BIN)/python docs/gallery/make_gallery.py

reference:  ## recompute the reference values (needs R with metafor)
	cd tests/reference/metafor && for script in make_*.R; do Rscript $$script || exit 1; done

clean:
	rm -rf $(VENV) out

$(VENV)/bin/python:
	@$(PYTHON) $(RECENT) \
	  || { echo 'Python 3.11 or newer is needed; name it with: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo 'Python has no venv module here; on Debian: apt-get install python3-venv'; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@$(BIN)/python $(RECENT) \
	  || { echo '$(VENV) was made by a Python older than 3.11; remove it first: rm -rf $(VENV)'; exit 1; }
	@echo 'Installing into $(VENV) ...'
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) --editable '.[dev]'
	@touch $@
