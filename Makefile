# SPDX-License-Identifier: Apache-2.0
# Everything works on a fresh clone: the virtual environment and the compiled module are made
# when something needs them, and made again when what they are built from has changed.

PYTHON ?= python3
GROUP ?= fast
PYTEST_ARGS ?=
BENCH_ARGS ?=
ONLY ?=
SHORT ?=
ARGS ?=
FIX ?=
TARGET ?=
SECONDS ?= 60

VENV := .venv/bin
C_FILES := $(wildcard src/themis_c/*.h src/themis_c/*/*.[ch])
FORMATTED := $(C_FILES) $(wildcard benchmarks/*.c fuzz/*.c fuzz/common/*.[ch] tests/c/*.[ch] tests/c/operations/*.[ch] tests/proofs/*.[ch] tests/c/msvc/*.h tests/c/msvc/*/*.h)
BUILD_INPUTS := $(C_FILES) build_ffi.py $(wildcard build_support/*.py) setup.py pyproject.toml tools/setup/bootstrap.py

MODE := build/.mode-$(or $(PYTHEMIS_LINK),dynamic)$(if $(filter 0,$(PYTHEMIS_TESTING)),-without-hooks)
PEER := tests/interop/node_modules/.package-lock.json
INTEGRATION := $(PEER) .venv/.database .venv/.django .venv/.services .venv/.libraries

TESTS_fast := not integration and not evidence and not big_memory
TESTS_integration := integration

# Tests that judge time get the machine to themselves, after all others.
define pytest
	$(VENV)/pytest -n auto --dist worksteal -m "$(TESTS_$(1)) and (limited or not timing)" $(PYTEST_ARGS)
	$(VENV)/pytest -m "$(TESTS_$(1)) and timing and not limited" $(PYTEST_ARGS); status=$$?; [ $$status = 5 ] || exit $$status
endef

.PHONY: $(shell sed -n "s/^\([a-z-]*\):.*\#\# .*/\1/p" Makefile)

help: ## list these commands; start with test and lint
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1	/' | expand -t 16

demo: .venv/.installed ## build pythemis and run examples/demo.py
	$(VENV)/python examples/demo.py

test: known-group .venv/.installed $(if $(filter integration,$(GROUP)),$(INTEGRATION)) ## build pythemis and run its tests (GROUP=integration PYTEST_ARGS='-k seal')
	$(call pytest,$(GROUP))

lint: .venv/.lint ## check style, types, formatting, C warnings and workflows (FIX=1 rewrites formatting)
ifneq ($(FIX),)
	$(VENV)/ruff check --fix-only
	$(VENV)/ruff format
	$(VENV)/clang-format -i $(FORMATTED)
	$(VENV)/python -m tools.make_stub
endif
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

docs: .venv/.docs ## build the documentation into build/docs, and check it
	$(VENV)/sphinx-build -E -q -W --keep-going -b html -d build/doctrees docs build/docs
	$(VENV)/python -m tools.site.check build/docs
	$(VENV)/python -m tools.site.manual build/pythemis.1

bench: .venv/.bench ## run the benchmarks into build/bench (BENCH_ARGS='--short --page docs/performance.md')
	$(VENV)/python benchmarks/everything.py $(BENCH_ARGS)

fuzz: .venv/.installed ## fuzz the C core (TARGET='cell keys' SECONDS=60)
	$(VENV)/python -m tools.evidence.fuzz --seconds $(SECONDS) $(TARGET)

wheel: .venv/.wheel ## build, audit and prove the wheel with everything in it (ONLY=sdist: the sources alone)
	$(VENV)/python -m $(if $(filter sdist,$(ONLY)),build --sdist,tools.release.build_wheel $(PYTEST_ARGS))

evidence: .venv/.wheel $(INTEGRATION) ## prove what docs/evidence promises (ONLY='faults wiping' SHORT=1 ARGS=...)
	$(VENV)/python -m tools.evidence $(if $(SHORT),--short) $(ONLY) $(if $(ARGS),-- $(ARGS))

release: ## check that dist has everything that a release has, of one version (TAG=v1.2.3)
	$(PYTHON) -m tools.release.check_release "$$TAG" # out of the environment: no name of a tag becomes a command

clean: ## remove everything that was made
	rm -rf .venv build dist *.egg-info pythemis/_themis*.so .*_cache .hypothesis tests/interop/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: known-group
known-group:
	@$(if $(TESTS_$(GROUP)),,echo "There is no GROUP=$(GROUP): it is fast or integration." >&2; exit 2)

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

# Where a peer has no wheel, the programs name it, and go on.
.venv/.bench: .venv/.installed
	$(VENV)/pip install --quiet --group bench || echo "Some peers of the benchmarks are not there."
	@touch $@

.venv/.docs: .venv/.installed
	$(VENV)/pip install --quiet --group docs
	@touch $@

.venv/.wheel: .venv/.installed
	$(VENV)/pip install --quiet --group wheel
	@touch $@

.venv/.database: .venv/.installed tools/setup/database.py
	$(VENV)/python -m tools.setup.database
	@touch $@

.venv/.django: .venv/.installed tools/setup/django_tests.py
	$(VENV)/python -m tools.setup.django_tests
	@touch $@

.venv/.libraries: .venv/.installed tools/setup/libraries.py
	$(VENV)/python -m tools.setup.libraries
	@touch $@

.venv/.services: .venv/.installed tools/setup/services.py
	$(VENV)/python -m tools.setup.services
	@touch $@
