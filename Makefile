# Sluice: what one does every day. `make help` lists it.
SHELL := /bin/bash
FILTER ?=
ONESHOT ?=
FUZZ_SECONDS ?= 20
PARSER ?=
BUILD_DIR := build

.DEFAULT_GOAL := help
.PHONY: help bootstrap build run test lint format bench docs asan fuzz clean ci

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

bootstrap: ## Install what is missing from Debian's packages (says what it does)
	@scripts/bootstrap

build: bootstrap ## Release binary, stripped: build/sluice
	@scripts/build

run: build ## Sample files -> Kafka -> PostgreSQL and files; Ctrl-C ends it, ONESHOT=1 exits when all is delivered
	@ONESHOT=$(ONESHOT) scripts/run

test: bootstrap ## All tests; FILTER=Name runs a part
	@FILTER='$(FILTER)' scripts/test

lint: ## Format and style of all sources
	@scripts/lint

format: ## Format all sources in place
	@swift format -i --parallel --configuration swift-format.json -r Sources Tests Benchmarks Package.swift

bench: build ## Every path beside its peer, on real Kafka
	@scripts/bench

docs: build ## Reference pages from the config keys and the command line
	@build/sluice docs --out Docs/reference

asan: bootstrap ## Client tests under AddressSanitizer and LeakSanitizer
	@scripts/asan

fuzz: bootstrap ## libFuzzer on every parser; FUZZ_SECONDS=20 each, PARSER=json runs one
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' PARSER='$(PARSER)' scripts/fuzz

ci: test ## What CI runs

clean: ## Remove what was built
	@rm -rf .build .build-* $(BUILD_DIR) Benchmarks/.build
