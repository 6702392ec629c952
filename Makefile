# supervisor-kit. `make demo` shows it working, `make test` proves it; `make help` lists the rest.
# Variables: DISTRO=<folder of distros/> for the demo, TARGET=<rust target> for build and bundle,
# ARCHES="x86_64 aarch64" and RELEASE=<number> for packages and release.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# Archives carry the time of the last commit, so the same commit gives the same bytes; a source bundle has its time in a file.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || cat .source-date-epoch 2>/dev/null || echo 0)

# Processors to pack for, as `uname -m` prints them.
ARCHES ?= x86_64 aarch64

.PHONY: help setup build bundle packages release demo test torture bench vendor fmt lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 10

setup: ## install what building and testing need (quick when it is all there)
	@scripts/setup

build: ## static, stripped release binaries in target/dist/bin
	@scripts/build

bundle: build ## dist/supervisor-kit-<version>-linux-<arch>.tgz: what goes to a machine without internet
	@target/dist/bin/pack tgz --bin-dir target/dist/bin --readme README.md --readme-zh README.zh-CN.md --out dist

packages: ## dist/: tgz, rpm and deb for each processor of ARCHES (RELEASE=2 for a second packing of a version)
	@scripts/packages $(ARCHES)

release: ## dist/: all packages, sources, checksums, list of components; signed with MINISIGN_SECRET_KEY_FILE
	@scripts/setup build
	@scripts/release $(ARCHES)

demo: setup bundle ## boot a machine without network, install the bundle, run two programs (DISTRO=kylin-server-v10)
	@scripts/demo

test: setup packages ## formatting, lints and every test, booted machines included
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	@scripts/test

torture: setup bundle ## the long form of the continuity tests: 1,000 kills of the daemon, 50 upgrades under load
	SUPERVISOR_KIT_KILLS=1000 SUPERVISOR_KIT_UPGRADES=50 cargo test --locked --test host -- --nocapture --test-threads=1 continuity upgrades

bench: setup build ## every row of speed and size, side by side with stock Supervisor, s6 and runit; writes docs/benchmarks.md
	@scripts/setup bench
	@python3 scripts/bench

vendor: ## copy every crate into vendor/, for building where there is no registry
	@scripts/vendor

fmt: ## format the sources
	cargo fmt

lint: ## formatting and lints, without tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

clean: ## remove what was built (cached machine trees stay in ~/.cache/supervisor-kit)
	cargo clean
	rm -rf dist
