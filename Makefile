# The commands of spanwatch's developers. `make help` lists them; a fresh Debian 12 or 13 needs nothing but make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

PREFIX ?= /opt/spanwatch
FUZZ_CASES ?= 20000
FUZZ_SECONDS ?= 60
BENCH_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
CARGO := cargo
CARGO_RUNNER = CARGO_TARGET_$(shell rustc -vV | sed -n 's/^host: //p' | tr a-z- A-Z_)_RUNNER
MANIFEST := --manifest-path native/Cargo.toml
PYTEST := $(BIN)/python -m pytest
FUZZ_MANIFEST := --manifest-path native/fuzz/Cargo.toml
# mail and message are built as the sensor is: mail-parser's debug assertions fail for damaged mail.
FUZZ_TARGETS := decode protocol capture_file watchlist tls quic http dns guess kerberos ntlm web mail message
# The one that is there, or one in the cache.
CARGO_FUZZ := $(or $(shell command -v cargo-fuzz),.cache/cargo/bin/cargo-fuzz)
NATIVE_SOURCES := $(shell find native \( -name target -o -name fuzz \) -prune -o \( -name '*.rs' -o -name 'Cargo.*' \) -print)
# The tests that need root get it through sudo when the caller is a plain user, and say what they skip when there is none.
SUDO := $(shell [ "$$(id -u)" = 0 ] || ! command -v sudo >/dev/null || echo "sudo --preserve-env=CI,SPANWATCH_CORPUS")
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/local/sbin:/usr/sbin:/sbin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help build test unit live peers system fuzz bench docs fmt lint run demo wheel install clean install-build install-test \
        install-bench install-fuzz

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

build: install-build $(VENV)/.native ## install what is missing, build the core; the command is .venv/bin/spanwatch

test: install-test lint unit live peers system ## install what is missing, run all checks and tests

unit: build $(VENV)/pcap-ct ## Rust tests, then Python unit and property tests
	env -u CI $(CARGO) test $(MANIFEST) --workspace --quiet
	$(PYTEST) -n auto -m "not live and not peers and not system"
	PYTHONPATH=$(VENV)/pcap-ct $(PYTEST) tests/unit/capture

live: install-test build ## tests on veth mirrors in private network namespaces (root)
	$(if $(SUDO),$(CARGO_RUNNER)="$(SUDO)") $(CARGO) test $(MANIFEST) --workspace --quiet --test live
	$(SUDO) $(PYTEST) -p no:cacheprovider -m live

peers: install-test build ## comparisons with tshark and other tools over the corpus in $SPANWATCH_CORPUS
	$(PYTEST) -n auto -m peers

system: install-test wheel .cache/wheelhouse ## the service on a booted Debian in systemd-nspawn (root)
	$(SUDO) $(PYTEST) -p no:cacheprovider -m system

fuzz: install-fuzz build $(CARGO_FUZZ) ## FUZZ_CASES cases for each property test, FUZZ_SECONDS for each fuzz target
	PROPTEST_CASES=$(FUZZ_CASES) $(CARGO) test $(MANIFEST) --workspace --quiet
	HYPOTHESIS_PROFILE=fuzz FUZZ_CASES=$(FUZZ_CASES) $(PYTEST) -m hypothesis
	$(BIN)/python -m tests.fuzz .cache/fuzz/seeds
	mkdir -p .cache/fuzz/found $(FUZZ_TARGETS:%=.cache/fuzz/corpus/%) $(FUZZ_TARGETS:%=.cache/fuzz/seeds/%)
	for target in $(FUZZ_TARGETS); do \
	    $(CARGO_FUZZ) run --fuzz-dir native/fuzz --target-dir native/target/fuzz --sanitizer none \
	        $$(case $$target in mail|message) echo -O;; esac) $$target \
	        $(CURDIR)/.cache/fuzz/corpus/$$target $(CURDIR)/.cache/fuzz/seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) \
	        -timeout=10 -rss_limit_mb=2048 -artifact_prefix=$(CURDIR)/.cache/fuzz/found/$$target- -verbosity=0; \
	done

bench: install-bench build .cache/pyshark .cache/nfstream ## measure reading and live capture against other tools
	$(SUDO) $(BIN)/python -m tests.bench $(BENCH_ARGS)

docs: build ## write what is generated: pages of configuration, metrics, alert rules, and the library's defaults
	$(BIN)/spanwatch config reference --yaml > etc/spanwatch.yaml
	$(BIN)/spanwatch config reference > docs/config.md
	$(BIN)/python -m sensor.metrics_page > docs/metrics.md
	$(BIN)/python -m sensor.alerts.rules > docs/alerts.md
	$(BIN)/python -m sensor.library.settings > .defaults.json
	mv .defaults.json sensor/library/defaults.json

fmt: install-test build ## format all Rust and Python code
	$(CARGO) fmt $(MANIFEST) --all
	$(CARGO) fmt $(FUZZ_MANIFEST)
	$(BIN)/ruff format .

lint: install-test build ## formatting, clippy, ruff, mypy, and the stub against the built module
	$(CARGO) fmt $(MANIFEST) --all --check
	$(CARGO) fmt $(FUZZ_MANIFEST) --check
	$(BIN)/ruff format --check .
	$(CARGO) clippy $(MANIFEST) --workspace --all-targets --quiet -- -D warnings
	$(CARGO) clippy $(FUZZ_MANIFEST) --target-dir native/target/fuzz --no-default-features --quiet -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/shellcheck tools/*.sh .ci/run
	$(BIN)/mypy
	$(BIN)/stubtest sensor._native

run: build ## watch IFACE (make run IFACE=eth1), or without it show the demo
ifdef IFACE
	$(SUDO) $(BIN)/spanwatch run -i $(IFACE)
else
	$(if $(SUDO),if sudo -n true 2>/dev/null; then exec $(SUDO) $(BIN)/spanwatch demo; fi;) exec $(BIN)/spanwatch demo
endif

demo: run ## the same as make run without IFACE

wheel: build ## the wheel of the sensor, in dist/
	rm -f dist/spanwatch-*.whl
	$(BIN)/maturin build --quiet --out dist

install: wheel ## install the service: PREFIX (/opt/spanwatch), units, /etc/spanwatch (root)
	$(SUDO) tools/install-service.sh dist/spanwatch-*.whl $(PREFIX)

clean: ## remove everything that was built
	$(SUDO) rm -rf .cache
	rm -rf native/target dist $(VENV) sensor/_native*.so .mypy_cache .pytest_cache .ruff_cache .hypothesis

install-build:
	@tools/install-debian.sh build

install-test:
	@tools/install-debian.sh build test

install-fuzz:
	@tools/install-debian.sh build fuzz

install-bench:
	@tools/install-debian.sh build test bench

.cache/cargo/bin/cargo-fuzz:
	@echo "fuzz: installing cargo-fuzz into .cache/cargo" >&2
	$(CARGO) install --quiet --locked --root .cache/cargo cargo-fuzz

# What is measured beside ours; each in an environment of its own, since nothing else wants it.
.cache/pyshark: PEER = pyshark==0.6
.cache/nfstream: PEER = nfstream==6.6.0
.cache/pyshark .cache/nfstream:
	rm -rf $@ $@.part
	$(BIN)/python -m venv $@.part
	$@.part/bin/pip install --quiet $(PEER)
	mv $@.part $@

# What the service needs, as wheels for Debian's own Python: the system test installs without a network.
.cache/wheelhouse: requirements-dev.lock pyproject.toml
	rm -rf $@ $@.part
	/usr/bin/python3 -m venv .cache/wheel-builder
	.cache/wheel-builder/bin/pip wheel --quiet --use-pep517 --wheel-dir $@.part -c requirements-dev.lock "$$(realpath dist/spanwatch-*.whl)[systemd]"
	rm $@.part/spanwatch-*.whl
	mv $@.part $@

$(VENV)/.packages: requirements-dev.lock
	"$$(tools/find-python.sh)" -m venv $(VENV)
	$(BIN)/pip install --quiet --use-pep517 -r requirements-dev.lock
	touch $@

# pypcap's stand-in on later Pythons, beside it: the portable source is tested with both.
$(VENV)/pcap-ct: $(VENV)/.packages
	rm -rf $@ $@.part
	$(BIN)/pip install --quiet --target $@.part "$$(sed -n 's/^\(pcap-ct==[^ ;]*\).*/\1/p' requirements-dev.lock)"
	mv $@.part $@

$(VENV)/.native: $(VENV)/.packages pyproject.toml $(NATIVE_SOURCES)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/pip check --quiet
	touch $@
