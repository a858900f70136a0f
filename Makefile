# `make run` starts the server with the example frontend, `make test` runs every test.
# Needs Rust, Node 20.19 or newer, and make; installs the rest.

EXAMPLE := examples/react-chat
CLIENT := tests/client
export CONFAB_BIN := $(CURDIR)/target/release/confab
CHROMIUM_BIN ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || echo /usr/bin/chromium)
export CHROMIUM_BIN

.PHONY: run test test-rust test-client lint fmt types server example chromium python

run: server example
	@data=$${CONFAB_DATA_DIR:-./data}; address=$${CONFAB_LISTEN:-127.0.0.1:3000}; \
	alice=$$($(CONFAB_BIN) token --user-id 7 --username alice) && \
	bob=$$($(CONFAB_BIN) token --user-id 8 --username bob) && \
	printf '\nOpen, each in a window of its own:\n\n' && \
	printf '  as alice:   http://%s/#token=%s\n\n' "$$address" "$$alice" && \
	printf '  as bob:     http://%s/#token=%s\n\n' "$$address" "$$bob" && \
	printf '  as a guest: http://%s/\n\nData is kept in %s. Ctrl-C stops.\n\n' "$$address" "$$data"
	CONFAB_WEB_ROOT=$(EXAMPLE)/dist exec $(CONFAB_BIN) serve

server:
	cargo build --release --locked

example:
	cd $(EXAMPLE) && npm ci --no-audit --no-fund && npm run build

test: test-rust test-client

test-rust:
	cargo test --workspace --locked

test-client: server example chromium python
	cd $(CLIENT) && npm ci --no-audit --no-fund && npm test

# The browser tests drive the system's Chromium.
chromium:
	@if [ ! -x "$(CHROMIUM_BIN)" ]; then \
		if ! command -v apt-get >/dev/null; then echo 'Chromium is missing: install it, or name it by CHROMIUM_BIN' >&2; exit 1; fi; \
		if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
		$$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends chromium; \
	fi

# python-socketio's client has a test too, in an environment of its own.
python:
	@if ! python3 -c 'import ensurepip, sqlite3, venv' 2>/dev/null; then \
		if ! command -v apt-get >/dev/null; then echo 'Python 3 with venv is missing: install it' >&2; exit 1; fi; \
		if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
		$$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends python3 python3-venv; \
	fi

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(MAKE) types
	@test -z "$$(git ls-files --modified --others --exclude-standard web-client)" || \
		(echo 'the generated types have changed: commit them' >&2; exit 1)

fmt:
	cargo fmt --all

# The TypeScript types of everything that crosses the wire.
types:
	cargo test --quiet --locked --lib export_bindings
