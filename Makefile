# `make run` starts the server with its web client, `make cluster` three of them behind a load balancer, `make test` runs
# every test.
# Needs Rust, Node 20.19 or newer, and make; installs the rest.

WEB := web-client
EXAMPLE := examples/react-chat
CLIENT := tests/client
comma := ,
export CONFAB_BIN := $(CURDIR)/target/release/confab
CHROMIUM_BIN ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || echo /usr/bin/chromium)
export CHROMIUM_BIN

.PHONY: run cluster chaos test test-rust test-web test-client test-bench lint fmt types server example chromium python services

run: server
	@printf '\nOpen http://%s/ in a browser: make an account, or come in as a guest. A private window is another person.\n' \
		"$${CONFAB_LISTEN:-127.0.0.1:3000}" && \
	printf 'Data is kept in %s. Ctrl-C stops.\n\n' "$${CONFAB_DATA_DIR:-./data}"
	exec $(CONFAB_BIN) serve

# Three nodes over PostgreSQL and Redis behind nginx. What can be set is at the head of the script.
cluster: server services
	exec examples/cluster/run.sh

# Three nodes, and everything that can fail does; what clients saw is checked. With another seed other things happen.
SEED ?= $(shell date +%s)
MINUTES ?= 10
chaos: server services
	cd $(CLIENT) && npm ci --no-audit --no-fund && \
		CONFAB_CHAOS_SEED=$(SEED) CONFAB_CHAOS_SECONDS=$$(($(MINUTES) * 60)) node --test-reporter=./support/reporter.mjs cluster/chaos.test.mjs

# The web client goes into the binary, so it is built first.
server: $(WEB)/dist/index.html
	cargo build --release --locked

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB)/index.html $(WEB)/widget.html $(WEB)/vite.config.ts $(WEB)/vite.widget.ts $(shell find $(WEB)/src -type f)
	cd $(WEB) && npm run build

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund

example:
	cd $(EXAMPLE) && npm ci --no-audit --no-fund && npm run build

test: test-rust test-web test-client test-bench

test-rust:
	cargo test --workspace --locked -- --skip export_bindings
	CONFAB_TEST_DATABASE=postgres cargo test --locked --test it -- $(addsuffix ::,access accounts audit live rate_limit removal)

test-web: $(WEB)/node_modules/.package-lock.json
	cd $(WEB) && npm test

test-client: server example chromium python services
	cd $(CLIENT) && npm ci --no-audit --no-fund && npm test

# The tables of docs/scaling.md. What they are made from is measured by hand: see there.
test-bench:
	node --test bench/

# What the system has to have: $(call installed,a command that says whether,its name,Debian's packages).
# Services that are installed are not started: policy-rc.d says so, where there is none that says something else.
define installed
	@if ! { $(1); } >/dev/null 2>&1; then \
		if ! command -v apt-get >/dev/null; then echo '$(2) is missing: install it' >&2; exit 1; fi; \
		if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; policy=/usr/sbin/policy-rc.d; \
		if [ -e $$policy ]; then policy=; else printf '#!/bin/sh\nexit 101\n' | $$root install -m 755 /dev/stdin $$policy; fi; \
		$$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends $(3); \
		status=$$?; [ -z "$$policy" ] || $$root rm $$policy; exit $$status; \
	fi
endef

# The browser tests drive the system's Chromium.
chromium:
	$(call installed,[ -x "$(CHROMIUM_BIN)" ],Chromium (or name it by CHROMIUM_BIN),chromium)

# python-socketio's client and Schemathesis have tests too, in environments of their own.
python:
	$(call installed,python3 -c 'import ensurepip$(comma) sqlite3$(comma) venv',Python 3 with venv,python3 python3-venv)

# What a cluster consists of beside its nodes.
services:
	$(call installed,PATH=$$PATH:/usr/sbin; command -v redis-server && command -v nginx && command -v haproxy \
		&& { command -v initdb && command -v psql || ls /usr/lib/postgresql/*/bin/initdb; },\
		Redis$(comma) PostgreSQL$(comma) nginx or HAProxy,redis-server postgresql nginx haproxy)

lint: $(WEB)/node_modules/.package-lock.json
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(MAKE) types
	@test -z "$$(git ls-files --modified --others --exclude-standard $(WEB)/src/protocol/generated)" || \
		(echo 'the generated types have changed: commit them' >&2; exit 1)
	cd $(WEB) && npm run check

fmt: $(WEB)/node_modules/.package-lock.json
	cargo fmt --all
	cd $(WEB) && npm run fmt

# The TypeScript types of everything that crosses the wire. A file that stays as it is keeps its time: nothing that is
# made from it has to be made again.
GENERATED := $(WEB)/src/protocol/generated
types:
	@before=$$(mktemp -d) && cp -a $(GENERATED)/. "$$before" && \
	cargo test --quiet --locked --lib export_bindings && \
	(cd $(GENERATED) && find . -type f | while read -r file; do \
		if cmp -s "$$file" "$$before/$$file"; then touch -r "$$before/$$file" "$$file"; fi; \
	done) && rm -r "$$before"
