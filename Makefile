# `make` alone lists what there is.

SHELL       := /bin/bash
TOOL        := go tool -modfile=tools/go.mod
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
VERSION     := $(VERSION)
# The same source and version give the same bytes, whatever the folder and
# whether it is a git clone.
BUILD       := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'
PLATFORMS   ?= linux/amd64 linux/arm64
FUZZ_TIME   ?= 5s
# They have a command of their own, because they need many more programs.
APART       := parvis/interop
# Debian keeps slapd out of the path of plain users.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help
.PHONY: help run build test interop conformance fmt format vet lint bench fuzz vuln sbom release reproducible clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## try Parvis: the server, a directory and five services, with nothing installed
	@./bin/parvis demo

build: ## build the server into bin/parvis
	@$(BUILD) -o bin/parvis ./cmd/parvis

test: ## run every test but interop's with the race detector; installs slapd, redis and chromium where it may
	@.ci/packages
	go test -race -timeout 10m $(filter-out $(APART),$(shell go list ./...))

interop: ## try the clients that others wrote: Apache's, PHP's, Perl's, Python's; installs them where it may
	@.ci/packages interop
	go test -race -count 1 -timeout 5m ./interop

conformance: ## ask the program about every rule of the protocol, and print the table
	@.ci/packages
	@set -o pipefail; go test ./conformance -count 1 -v -run '^TestConformance$$' | \
		grep -E '^\||^[0-9]+ rules|^ +[a-z]+(_test)?\.go:|^FAIL'

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

vuln: ## look for known vulnerabilities in what is called; asks vuln.go.dev
	$(TOOL) govulncheck ./...

sbom: build ## list the modules in bin/parvis, with their versions and sums
	@go version -m bin/parvis | tee bin/parvis.modules

release: ## build what is published, with its sums and modules, into bin/release
	@rm -rf bin/release && mkdir -p bin/release
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} name=parvis-$(VERSION)-$$os-$$arch; \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o bin/release/$$name ./cmd/parvis; \
		(cd bin/release && go version -m $$name > $$name.modules); \
	done
	@cd bin/release && sha256sum parvis-* | tee SHA256SUMS

reproducible: build ## build again, elsewhere and with nothing cached, and compare
	@set -e; elsewhere="$$(mktemp -d)"; trap 'rm -rf "$$elsewhere"' EXIT; mkdir "$$elsewhere/source"; \
	git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$$elsewhere/source"; \
	(cd "$$elsewhere/source" && GOCACHE="$$elsewhere/cache" $(BUILD) -o "$$elsewhere/parvis" ./cmd/parvis); \
	cmp bin/parvis "$$elsewhere/parvis"; sha256sum bin/parvis

clean: ## remove what was built
	rm -rf bin
