# SPDX-License-Identifier: Apache-2.0
# Everything works on a fresh clone: the virtual environment and the compiled module are made
# when something needs them, and made again when what they are built from has changed.

PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=
SEED ?=
ONLY ?=
TIMES ?= 1
MACHINES ?=
ARCH ?=
OPERATIONS ?= 1e7
TARGET ?=
SECONDS ?= 60

VENV := .venv/bin
C_SOURCES := $(wildcard src/themis_c/*/*.c)
C_FILES := $(C_SOURCES) $(wildcard src/themis_c/*.h src/themis_c/*/*.h)
FORMATTED := $(C_FILES) $(wildcard benchmarks/*.c fuzz/*.c fuzz/common/*.[ch] tests/c/*.[ch] tests/c/msvc/*.h tests/c/msvc/*/*.h)
BUILD_INPUTS := $(C_FILES) build_ffi.py build_checks.py build_sbom.py setup.py pyproject.toml tools/setup/bootstrap.py

MODE := build/.mode-$(or $(PYTHEMIS_LINK),dynamic)$(if $(filter 0,$(PYTHEMIS_TESTING)),-without-hooks)
PEER := tests/interop/node_modules/.package-lock.json

.PHONY: $(shell sed -n "s/^\([a-z-]*\):.*\#\# .*/\1/p" Makefile)

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1	/' | expand -t 28

demo: .venv/.installed ## build pythemis and run examples/demo.py
	$(VENV)/python examples/demo.py

test: .venv/.installed $(if $(filter true,$(CI)),$(PEER) .venv/.database) ## build pythemis and run its tests (PYTEST_ARGS='-k seal')
	$(VENV)/pytest $(PYTEST_ARGS)

interop: .venv/.installed $(PEER) ## run the tests against the real Themis core (Node; TIMES=20)
	CI=true PEER_TIMES=$(TIMES) PYTHEMIS_SEED=$(SEED) $(VENV)/pytest tests/interop $(PYTEST_ARGS)

differ: .venv/.installed $(PEER) ## give damaged input to us and to the real core (SECONDS=600 SEED=1)
	PYTHONPATH=tests:tests/interop $(VENV)/python tests/interop/differential.py --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

lint: .venv/.lint ## check style, types, formatting, C warnings and workflows
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/python -m tools.make_stub --check
	$(VENV)/mypy
	$(VENV)/basedpyright --level error
	$(VENV)/clang-format --dry-run -Werror $(FORMATTED)
	$(VENV)/python -m tools.lint_c
	$(VENV)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(VENV)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(VENV)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(VENV)/zizmor --offline --quiet --persona=pedantic .github

stub: .venv/.installed ## write the types of the compiled module anew, from themis.h
	$(VENV)/python -m tools.make_stub

format: .venv/.lint ## rewrite the sources in the project's format
	$(VENV)/ruff check --fix-only
	$(VENV)/ruff format
	$(VENV)/clang-format -i $(FORMATTED)

memcheck: .venv/.installed ## run the tests of the C core under valgrind
	$(VENV)/python -m tools.evidence.memcheck $(PYTEST_ARGS)

bench: .venv/.installed ## run the benchmarks into build/bench (BENCH_ARGS='--short')
	$(VENV)/python benchmarks/everything.py $(BENCH_ARGS)

bench-page: .venv/.installed ## run the benchmarks and put their tables into docs/performance.md
	$(VENV)/python benchmarks/everything.py --page docs/performance.md $(BENCH_ARGS)

instructions: .venv/.installed ## count the instructions of the hot paths; 10 % more than recorded fails
	$(VENV)/python -m tools.evidence.instructions

instructions-record: .venv/.installed ## record the instructions of the hot paths as they are now
	$(VENV)/python -m tools.evidence.instructions --record
sdist: .venv/.installed ## build the source distribution into dist
	$(VENV)/python -m build --sdist

wheel: .venv/.wheel ## build, audit and prove the wheel with everything in it (PYTHEMIS_ARCHIVES=folder)
	$(VENV)/python -m tools.release.build_wheel $(PYTEST_ARGS)

second-system: .venv/.wheel ## run wheel and sdist on a Debian trixie in a folder, as root (ARCH=arm64 under qemu)
	$(VENV)/python -m tools.evidence.second_system $(if $(ARCH),--arch $(ARCH)) $(PYTEST_ARGS)

free-threaded: .venv/.installed ## build a Python without a GIL, and run the tests on it (PYTEST_ARGS='-k seal')
	$(VENV)/python -m tools.evidence.free_threaded $(PYTEST_ARGS)

check-release: ## is everything in dist that a release has, of one version? (TAG=v1.2.3)
	$(PYTHON) -m tools.release.check_release "$$TAG" # out of the environment: no name of a tag becomes a command

machines: ## run the C core as other machines do (MACHINES="s390x arm64 i386 armhf musl windows")
	$(PYTHON) -m tools.evidence.machines $(MACHINES)

longrun: .venv/.installed ## run 10^7 operations and a day of a session; is memory flat? (OPERATIONS=1e7)
	$(VENV)/python -m tools.evidence.longrun --operations $(OPERATIONS)

docs: .venv/.docs ## build the documentation into build/docs, and check it
	$(VENV)/sphinx-build -E -q -W --keep-going -b html -d build/doctrees docs build/docs
	$(VENV)/python -m tools.site.check build/docs

browse: docs ## look at the documentation in Chromium: does it fit, do search, menu and buttons work?
	$(VENV)/python -m tools.site.browse build/docs

fuzz: .venv/.installed ## fuzz the C core (TARGET='cell keys' SECONDS=60)
	$(VENV)/python -m tools.evidence.fuzz --seconds $(SECONDS) $(TARGET)

sanitize: .venv/.installed $(if $(filter true,$(CI)),$(PEER) .venv/.database) ## run the tests with ASan and UBSan
	$(VENV)/python -m tools.evidence.sanitize $(PYTEST_ARGS)

sanitize-threads: .venv/.installed ## look for data races with TSan
	$(VENV)/python -m tools.evidence.sanitize_threads $(PYTEST_ARGS)

coverage: .venv/.installed ## measure what tests and fuzzing reach of the C core
	$(VENV)/python -m tools.evidence.coverage $(PYTEST_ARGS)

faults: .venv/.installed ## let everything beneath the C core fail once (LIMIT=20 for a short round)
	$(VENV)/python -m tools.evidence.faults $(or $(LIMIT),0)

wiping: .venv/.installed ## search stacks and freed memory for secrets (LIMIT=2 for a short round)
	$(VENV)/python -m tools.evidence.wiping $(or $(LIMIT),0)

consttime: .venv/.installed ## look for branches on secrets, under valgrind
	$(VENV)/python -m tools.evidence.consttime $(CASES)

clean: ## remove everything that was made
	rm -rf .venv build dist *.egg-info pythemis/_themis*.so .*_cache .hypothesis tests/interop/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/.installed: $(BUILD_INPUTS) $(MODE)
	$(PYTHON) -m tools.setup.bootstrap
	@touch $@

# Another way of linking is another build; so are hooks for tests, or none.
$(MODE):
	@mkdir -p $(@D) && rm -f build/.mode-* && touch $@

$(PEER): tests/interop/package.json tests/interop/package-lock.json tools/setup/peer.py
	$(PYTHON) -m tools.setup.peer
	@touch $@

.venv/.lint: .venv/.installed
	$(VENV)/pip install --quiet --group lint
	@touch $@

.venv/.docs: .venv/.installed
	$(VENV)/pip install --quiet --group docs
	@touch $@

.venv/.database: .venv/.installed tools/setup/database.py
	$(VENV)/python -m tools.setup.database
.venv/.wheel: .venv/.installed
	$(VENV)/pip install --quiet --group wheel
	@touch $@
