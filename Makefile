# `make` alone lists what there is.

SHELL       := /bin/bash
TOOL        := go tool -modfile=tools/go.mod
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS     := -s -w -X main.version=$(VERSION)
FUZZ_TIME   ?= 5s
# Debian keeps slapd out of the path of plain users.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help
.PHONY: help run build test fmt format vet lint bench fuzz clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## try Parvis: the server, a directory and five services, with nothing installed
	@./bin/parvis demo

build: ## build the server into bin/parvis
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/parvis ./cmd/parvis

test: ## run every test with the race detector; installs slapd, redis and chromium where it may
	@.ci/packages
	go test -race -timeout 10m ./...

fmt: ## rewrite the files in the one format
	$(TOOL) gofumpt -w $(shell git ls-files '*.go')

format: ## check the format of the files
	@wrong="$$(gofmt -l $$(git ls-files '*.go'); $(TOOL) gofumpt -l $$(git ls-files '*.go'))"; \
	if [[ -n $$wrong ]]; then echo "Run make fmt; not in the one format:"; echo "$$wrong"; exit 1; fi

vet: ## run go vet
	go vet ./...

lint: ## run golangci-lint with the list of .golangci.yml
	$(TOOL) golangci-lint run ./...

bench: ## measure the server against a bare net/http on this machine
	@.ci/packages
	go test ./bench -run "^$$" -bench . -benchtime 1x -timeout 15m

fuzz: ## fuzz each parser for a few seconds (FUZZ_TIME=1m for longer)
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r package; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$$package"/*_test.go | cut -d' ' -f2); do \
			echo "$$package $$target"; \
			go test "$$package" -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ_TIME) | tail -n 1; \
		done; \
	done

clean: ## remove what was built
	rm -rf bin
