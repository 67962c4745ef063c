# Needs Python >= 3.11 with its headers, a C compiler and make; everything else goes into .venv.
#   make run          build, and enumerate the dichotomies of the iris data
#   make test         everything: lint, the quick tier on a wheel, checked kernels, the full tier
#   make quick        the quick tier on the sources
#   make lint         ruff, mypy, stubtest, cython-lint, codespell, the plan of the code
#   make coverage     which lines of Python and of the kernels the quick tier runs, with floors
#   make bench        the benchmarks (minutes)
#   make clean        remove .venv and everything built
# Another interpreter: make PYTHON=/path/to/python3 run

SHELL := /bin/sh
.DEFAULT_GOAL := run
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: run test quick full checked-test wheel-test lint coverage bench clean

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && { echo "$$p"; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
# with a process for each core, BLAS needs no threads of its own
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -p no:cacheprovider
# build modes are chosen below, not by the caller's environment
unexport ARRANGEMENTS_BUILD
unexport PYTHONPATH
# tests start many interpreters, which need not compile everything again
unexport PYTHONDONTWRITEBYTECODE

find = $(shell find $(1) -type f '(' $(foreach s,$(2),-name '$(s)' -o) -false ')')
COMPILED := setup.py pyproject.toml $(call find,arrangements,*.pyx *.pxd *.h)
PACKAGED := $(COMPILED) MANIFEST.in README.md LICENSE $(call find,arrangements cvxlayer,*.py *.pyi py.typed)
STUBBED := $(subst /,.,$(basename $(call find,arrangements,*.pyi)))
COPY := tar cf - $(PACKAGED) | tar xf - -C
# of the quick tier, what runs the kernels
KERNEL_TESTS := -m "not full" tests/walk tests/patterns/test_trichotomies.py tests/ellipsoid

run: $(VENV)/.built
	$(BIN)/arrangements enumerate iris --columns 0-2 --bias

# The last is the longest, and what it prints last is pytest's summary.
test: lint wheel-test checked-test full

quick: $(VENV)/.built $(VENV)/.test
	$(PYTEST) -n auto --dist worksteal -m "not full"

# The laws of the chambers on 1000 examples each, then all that takes seconds to minutes.
full: $(VENV)/.built $(VENV)/.test
	ARRANGEMENTS_TESTS=full $(PYTEST) -n auto --dist worksteal -m "not full" tests/walk/test_chambers.py
	$(PYTEST) -n auto --dist worksteal -m full

lint: $(VENV)/.built $(VENV)/.test $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest --ignore-missing-stub --ignore-disjoint-bases --mypy-config-file pyproject.toml $(STUBBED)
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint $(filter %.pyx %.pxd,$(COMPILED))
	$(BIN)/codespell
	$(PYTEST) tests/house/test_architecture.py

# The kernels run without the interpreter: gcov counts their lines in C, at full speed.
coverage: build/coverage/.built $(VENV)/.built $(VENV)/.test $(VENV)/.dev
	find build/coverage -name '*.gcda' -delete
	$(BIN)/coverage erase
	PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/coverage/site OMP_NUM_THREADS=1 \
	  $(BIN)/coverage run -m pytest -p no:cacheprovider -n auto --dist worksteal -m "not full"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --precision 1
	$(BIN)/python tests/kernel_coverage.py build/coverage/source

bench: $(VENV)/.built $(VENV)/.test
	$(BIN)/python bench/enumerate.py
	$(BIN)/python bench/awkward.py
	$(BIN)/python bench/geometry.py
	$(BIN)/python bench/train.py
	$(BIN)/python bench/certify.py
	$(BIN)/python bench/cover.py

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find arrangements -name '*.c' -o -name '*.so' | xargs rm -f
	find arrangements cvxlayer tests bench -name __pycache__ -prune -exec rm -rf {} +

# -- environment ---------------------------------------------------------------------------

$(VENV)/.made:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(NEW_ENOUGH)' || { \
	  echo "Python 3.11 or newer is needed and was not found; install it, or name it:" \
	       "make PYTHON=/path/to/python3" >&2; exit 1; }
	@command -v $${CC:-cc} >/dev/null || command -v gcc >/dev/null || { \
	  echo "a C compiler is needed and was not found; on Debian: apt install gcc" >&2; exit 1; }
	@"$(PYTHON)" -c 'import os, sys, sysconfig; \
	  sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || { \
	  echo "the headers of $(PYTHON) (Python.h) are needed and were not found;" \
	       "on Debian: apt install python3-dev" >&2; exit 1; }
	@if "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then \
	  "$(PYTHON)" -m venv --clear $(VENV); \
	elif "$(PYTHON)" -m pip --version >/dev/null 2>&1; then \
	  "$(PYTHON)" -m venv --clear --without-pip $(VENV) && \
	  "$(PYTHON)" -m pip --python $(BIN)/python install --quiet pip; \
	else \
	  echo "$(PYTHON) cannot make virtual environments (no ensurepip);" \
	       "on Debian: apt install python3-venv" >&2; exit 1; \
	fi
	@touch $@

# Editable: Python sources are used where they are, compiled ones are built again when they change.
# Generated C is removed first, it may stem from another build mode.
$(VENV)/.built: $(VENV)/.made $(COMPILED)
	find arrangements -name '*.c' | xargs rm -f
	$(PIP) install --editable '.[data,convex]'
	@touch $@

$(VENV)/.test $(VENV)/.dev: $(VENV)/.made pyproject.toml
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$(@F:.%=%)"], sep="\n")' > $@.txt
	$(PIP) install -r $@.txt
	@touch $@

# -- other builds of the kernels, beside the release build ---------------------------------

build/checked/.built build/coverage/.built: $(VENV)/.made $(PACKAGED)
	rm -rf $(@D)
	mkdir -p $(@D)/source
	$(COPY) $(@D)/source
	ARRANGEMENTS_BUILD=$(notdir $(@D)) $(PIP) install --no-deps --target $(@D)/site $(@D)/source
	@touch $@

# Bounds, overflow, memory and undefined behaviour.
checked-test: build/checked/.built $(VENV)/.built $(VENV)/.test
	@test -e "$$(gcc -print-file-name=libasan.so)" -a -e "$$(gcc -print-file-name=libubsan.so)" || { \
	  echo "the sanitizer libraries of gcc (libasan, libubsan) were not found" >&2; exit 1; }
	PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/checked/site PYTHONMALLOC=malloc \
	  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	  LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	  $(PYTEST) --capture=sys -n auto --dist worksteal $(KERNEL_TESTS)

# A wheel from clean sources, in an environment and a folder that know nothing of this checkout.
wheel-test: $(VENV)/.made
	@set -e; away=$$(mktemp -d); trap 'rm -rf "$$away"' EXIT; trap 'exit 130' INT TERM; \
	mkdir "$$away/source" "$$away/checks"; \
	$(COPY) "$$away/source"; \
	tar cf - --exclude=__pycache__ --exclude='.*' tests docs bench \
	  $(wildcard *.md) LICENSE pyproject.toml | tar xf - -C "$$away/checks"; \
	$(PIP) wheel --no-deps --wheel-dir "$$away" "$$away/source"; \
	$(BIN)/python -m venv --without-pip "$$away/venv"; \
	$(PIP) --python "$$away/venv/bin/python" install \
	  "arrangements[test] @ file://$$(echo "$$away"/arrangements-*.whl)"; \
	cd "$$away/checks"; OMP_NUM_THREADS=1 "$$away/venv/bin/pytest" -p no:cacheprovider -n auto --dist worksteal -m "not full"
