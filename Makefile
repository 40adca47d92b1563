# Berth. `make try` and `make test` need nothing but Debian 12 or Ubuntu 22.04, root, Node, npm and apt.
SHELL := /bin/bash
BUN := node_modules/.bin/bun
PREFIX ?= /usr/local
SOURCES := $(shell find src scripts/lib/launcher -name '*.[tch]*' -not -name '*.test.ts' -not -name '*.md' 2>/dev/null)

.PHONY: help try test build check dev install uninstall setup clean bench parity

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

try: setup build ## from a clean machine to a shell in a Debian container (a scripted tour without a terminal)
	@scripts/try.sh

test: setup build ## every test: types, lint, units, integration on the real kernel, parity with docker
	@$(BUN) scripts/test.ts

build: node_modules dist/berth ## dist/berth, the one executable

check: node_modules ## types, lint, import ranks, unit tests: seconds, no root
	@$(BUN) scripts/check.ts

dev: setup node_modules ## an engine from source in a scratch root; prints the DOCKER_HOST line
	@scripts/dev.sh

install: build ## the executable, its systemd unit and shell completion, below PREFIX (/usr/local)
	@scripts/install.sh install "$(PREFIX)"

uninstall: ## takes away what install put there; data stays
	@scripts/install.sh uninstall "$(PREFIX)"

setup: ## installs what is missing, by apt
	@scripts/setup.sh

bench: build ## the benchmark table against Docker and Podman, where the peers are beside the project
	@scripts/bench.sh

parity: build ## the recorded cases of Docker, where they are beside the project
	@$(BUN) scripts/parity.ts

clean: ## removes what was built
	rm -rf dist .dev

node_modules: package.json package-lock.json
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch node_modules

dist/berth: node_modules scripts/build.ts $(SOURCES)
	@$(BUN) scripts/build.ts
