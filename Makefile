# `make demo` goes from answers to a plan, `make test` everything that continuous integration runs. Both start from nothing:
# they make the virtual environment `.venv` and build the engine into it.

PYTHON ?= python3
MAX_WHEEL_BYTES := 3000000

VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
# Stamps: what the environment holds, newer than what it was made from.
TOOLS := $(VENV)/.stamp-tools
BUILT := $(VENV)/.stamp-built
EXTRAS := $(VENV)/.stamp-extras
PEERS := $(VENV)/.stamp-peers
WHEEL := target/.stamp-wheel

RUST_SOURCES := $(shell find src -name '*.rs') Cargo.toml $(wildcard Cargo.lock)
MATURIN := env -u CONDA_PREFIX PIP_QUIET=1 VIRTUAL_ENV="$(VENV)" "$(BIN)/maturin"
PYTHON_PATHS := python tests/python tests/data benches examples $(wildcard docs/*.py)

.PHONY: all test demo dev fmt fmt-check lint test-engine docs site wheel stubs test-python stress bench bench-engine instructions clean
.DELETE_ON_ERROR:

all: test

# pytest comes last: its closing line says how the whole run ended.
test: fmt-check lint test-engine docs wheel instructions test-python

## What users run ------------------------------------------------------------------------------------------------------

# `make demo` on answers that the package makes; `make demo DATA=runs.csv LAW=chinchilla RESPONSE=loss` on your own.
demo: $(BUILT)
ifdef DATA
	@"$(BIN)/lawfit" demo --data "$$DATA" --law "$${LAW:?say LAW=chinchilla, or LAW=\"E + A*N**-alpha\"}" \
		--response "$${RESPONSE:?say RESPONSE=, the column to fit}" $(ARGS)
else ifneq ($(LAW)$(RESPONSE),)
	@echo "LAW= and RESPONSE= go with DATA=runs.csv; without it the runs are synthetic" >&2; exit 2
else
	@"$(BIN)/lawfit" demo $(ARGS)
endif

## The environment -----------------------------------------------------------------------------------------------------

dev: $(EXTRAS)

$(TOOLS):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "lawfit needs Python 3.10 or newer; say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "lawfit is built by Rust's cargo, which is not on PATH: https://rustup.rs" >&2; exit 1; }
	$(PYTHON) -m venv --clear "$(VENV)"
	"$(BIN)/python" -m pip install --quiet "maturin>=1.9.4,<2"
	@touch "$@"

$(BUILT): $(TOOLS) $(RUST_SOURCES) pyproject.toml
	$(MATURIN) develop --release --quiet
	@touch "$@"

# The second call finds the engine built and only adds what the tests need.
$(EXTRAS): pyproject.toml | $(BUILT)
	$(MATURIN) develop --release --quiet --extras test
	@touch "$@"

# The others that benchmarks measure.
$(PEERS): pyproject.toml | $(EXTRAS)
	$(MATURIN) develop --release --quiet --extras test,bench
	@touch "$@"

## What CI runs --------------------------------------------------------------------------------------------------------

fmt: $(EXTRAS)
	cargo fmt
	"$(BIN)/ruff" check --fix --quiet $(PYTHON_PATHS)
	"$(BIN)/ruff" format $(PYTHON_PATHS)

fmt-check: $(EXTRAS)
	cargo fmt --check
	"$(BIN)/ruff" format --check $(PYTHON_PATHS)

lint: $(EXTRAS)
	cargo clippy --all-targets -- -D warnings
	PYO3_PYTHON="$(BIN)/python" cargo clippy --all-targets --features python -- -D warnings
	"$(BIN)/ruff" check $(PYTHON_PATHS)
	"$(BIN)/mypy"

test-engine:
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run; else cargo test --lib --tests; fi
	cargo test --doc

docs:
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --no-deps --document-private-items --quiet

# The pages of docs/, the laws and the Python API, as a site in target/site; a warning is an error. Built by pytest as well.
site: $(EXTRAS)
	NO_MKDOCS_2_WARNING=1 "$(BIN)/mkdocs" build --strict

# The wheel alone, in an environment of its own: small enough, importable, and its command answers.
wheel: $(WHEEL)

$(WHEEL): $(BUILT) $(wildcard python/lawfit/*.py*)
	rm -rf target/wheel && mkdir -p target/wheel
	$(MATURIN) build --release --quiet --out target/wheel
	@size=$$(cat target/wheel/*.whl | wc -c); echo "wheel: $$size bytes, at most $(MAX_WHEEL_BYTES)"; \
		test "$$size" -le $(MAX_WHEEL_BYTES)
	"$(BIN)/python" -m venv target/wheel/venv
	target/wheel/venv/bin/python -m pip install --quiet target/wheel/*.whl
	cd target/wheel && PYTHONWARNINGS=error venv/bin/lawfit laws >/dev/null
	@touch "$@"

stubs: $(EXTRAS)
	"$(BIN)/pytest" tests/python/test_stubs.py

test-python: $(EXTRAS)
	"$(BIN)/pytest"

# The first 2,000 of these problems are in `test-python`. ARGS="17 93" runs those alone, a line each.
stress: $(EXTRAS)
ifdef ARGS
	"$(BIN)/python" tests/data/stress_judge.py $(ARGS)
else
	LAWFIT_STRESS=all "$(BIN)/pytest" -s tests/python/test_stress.py
endif

## Measurements --------------------------------------------------------------------------------------------------------

bench: $(PEERS)
	OMP_NUM_THREADS=1 "$(BIN)/python" benches/python/against_peers.py $(ARGS)

# Times of the engine's jobs with every set of kernels; ARGS=groups runs those whose name has that.
bench-engine:
	cd benches/engine && CARGO_TARGET_DIR="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/benches" cargo bench --bench times -- $(ARGS)

# Instructions of the same jobs against those that are stored; ARGS=--store stores them. Two minutes where valgrind is installed
# and this compiler has counts; elsewhere it says why not and compares nothing.
instructions: $(TOOLS)
	"$(BIN)/python" benches/python/instructions.py $(ARGS)

clean:
	rm -rf target .venv
	find python tests -name '*.so' -delete -o -name __pycache__ -prune -exec rm -rf {} +
