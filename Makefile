# supervisor-kit. `make demo` shows it working, `make test` proves it; `make help` lists the rest.
# Variables: DISTRO=<folder of distros/> for the demo, TARGET=<rust target> for build and bundle.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# Archives carry the time of the last commit, so the same commit gives the same bytes; a source archive has no commit.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: help setup build bundle demo test bench vendor fmt lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 10

setup: ## install what building and testing need (quick when it is all there)
	@scripts/setup

build: ## static, stripped release binaries in target/dist/bin
	@scripts/build

bundle: build ## dist/supervisor-kit-<version>-linux-<arch>.tgz: what goes to a machine without internet
	@target/dist/bin/pack tgz --bin-dir target/dist/bin --readme README.md --readme-zh README.zh-CN.md --out dist

demo: setup bundle ## boot a machine without network, install the bundle, run two programs (DISTRO=kylin-server-v10)
	@scripts/demo

test: setup bundle ## formatting, lints and every test, booted machines included
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --no-fail-fast

bench: setup build ## size, memory and idle wake-ups, side by side with stock Supervisor
	@scripts/bench

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
