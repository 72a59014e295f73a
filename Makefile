# Wadi: build, try, test. `make` alone builds bin/wadi; `make help` lists the targets.

PREFIX   ?= /usr/local
FUZZTIME ?= 30s
CRASHES  ?= 500
SOAK     ?= 1h
RATE     ?= 10000
BUILD    := CGO_ENABLED=1 go build -ldflags='-s -w'
TOOL     := go tool -modfile=tools/go.mod

.PHONY: build
build: ## build bin/wadi
	$(BUILD) -o bin/wadi ./cmd/wadi

.PHONY: run
run: build ## make a demo lake in ./wadi-demo and ask it five questions
	@scripts/demo.sh bin/wadi

.PHONY: install
install: build ## copy wadi to PREFIX/bin (default /usr/local); on Linux its systemd unit and settings too
	@scripts/install.sh install '$(DESTDIR)' '$(PREFIX)'

.PHONY: uninstall
uninstall: ## stop the service, remove what install put there; data and changed settings stay
	@scripts/install.sh uninstall '$(DESTDIR)' '$(PREFIX)'
	@echo "data stays where it is: $${WADI_DATA:-$(CURDIR)/wadi-data}, and that of the service in /var/lib/wadi"

.PHONY: test
test: ## install what the tests need and run all of them, the slow ones too
	@scripts/test-needs.sh
	scripts/test.sh

.PHONY: test-fast
test-fast: ## the tests that need nothing but Go (under 2 minutes)
	go test ./...

.PHONY: lint
lint: ## format, vet, staticcheck, vulnerabilities, house rules, tidy and generate
	scripts/lint.sh

.PHONY: bench
bench: build ## print the figures: medians of 5, CPU seconds, ratios
	go run ./internal/bench/wadibench --wadi bin/wadi $(BENCHFLAGS)

.PHONY: crash
crash: ## kill an import, and a server under load, CRASHES times (default 500) at random points
	WADI_SLOW=1 WADI_CRASH_RUNS=$(CRASHES) go test -count=1 -timeout 6h -v -run '^TestKill' ./internal/proof ./internal/collect/bulk

.PHONY: soak
soak: ## send RATE events a second (default 10000) to a server for SOAK (default 1h): memory, files and commits stay flat
	WADI_SLOW=1 WADI_SOAK=$(SOAK) WADI_SOAK_RATE=$(RATE) go test -count=1 -timeout 30h -v -run '^TestSoak$$' ./internal/proof

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 30s) each
	scripts/fuzz.sh '$(FUZZTIME)'

.PHONY: generate
generate: ## rewrite generated files (docs/tables.md, docs/openapi.json and others)
	go generate ./...

.PHONY: help
help: ## this list
	@awk -F': .*## ' '/^[a-z-]+: .*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile
