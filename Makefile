# make run     build, start the server on this machine and join it
# make client  build the client and join the server at ADDRESS
# make check   everything that CI runs; it leaves the tree as it was
# make bench   speed: the wire alone, a real server fanning out, and its log
# make bench-hostile    what whoever calls can do to the server, beside what they should be able to
# make bench-gtk    the client: speed, memory, idleness and leaks, beside what they should be
# make promise kill, cut and stall until stopped: nothing may be lost or shown twice
# make promise-cluster    the same, for several servers of one chat, their database and its standbys
# make deps    fetch what the system lacks (Debian and its kin)
# make release    build what is installed, for PREFIX=/usr/local
# make install    put it there, below DESTDIR if that is given; make uninstall takes it away again
# make deb    packages for Debian 12 and its kin, in target/deb
# make flatpak    the client as a Flatpak, installed for this user
# make check-deb     build them, and try them out under a real systemd; part of make check
# make check-debian13     the same on Debian 13, in a root of its own; part of make check where that can be made
# make reproduce     build them twice, in different folders: the same bytes

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: run client check bench bench-hostile bench-gtk promise promise-cluster deps

ADDRESS ?= 127.0.0.1:12345
TARGET := $(or $(CARGO_TARGET_DIR),target)/debug
NAME ?= $(or $(shell id -un),guest)

# What it takes to build the client; the server needs a C compiler and nothing else.
BUILD_PACKAGES := gcc libc6-dev pkg-config libgtk-4-dev libadwaita-1-dev gettext libglib2.0-bin \
	libglib2.0-dev-bin libxml2-utils
# What it takes to build packages, and to try them out.
DEB_PACKAGES := $(BUILD_PACKAGES) debhelper dpkg-dev
CHECK_DEB_PACKAGES := $(DEB_PACKAGES) lintian systemd dbus util-linux iproute2 man-db locales \
	desktop-file-utils gtk-update-icon-cache sqlite3 python3 git glib-networking librsvg2-common \
	xvfb at-spi2-core python3-gi gir1.2-atspi-2.0 xdotool
# What it takes to try it all: a display, a session bus, a screen reader's eyes, and validators.
CHECK_PACKAGES := $(CHECK_DEB_PACKAGES) g++ xserver-xorg-core xserver-xorg-video-dummy imagemagick \
	weston adwaita-icon-theme fonts-cantarell fonts-noto-color-emoji netcat-openbsd procps shellcheck \
	appstream mandoc zsh fish debootstrap python3-pip openssl postgresql libfaketime
# What the packages, and the tests of what is installed, need on another release of Debian.
ON_DEBIAN_PACKAGES := libadwaita-1-0 libglib2.0-bin librsvg2-common desktop-file-utils systemd dbus \
	iproute2 man-db locales sqlite3 python3 xvfb xserver-xorg-core xserver-xorg-video-dummy \
	at-spi2-core python3-gi gir1.2-atspi-2.0 gir1.2-gtk-4.0 xdotool imagemagick weston fonts-cantarell \
	fonts-noto-color-emoji procps glib-networking openssl

install = missing=(); for package in $(1); do \
		dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q ' installed$$' \
			|| missing+=("$$package"); \
	done; \
	if [ $${\#missing[@]} -gt 0 ]; then \
		echo "Installing $${missing[*]}"; \
		as_root=(); [ "$$(id -u)" = 0 ] || as_root=(sudo); \
		"$${as_root[@]}" apt-get update -qq; \
		"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	fi

deps:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs"; exit 1; }
	$(call install,$(CHECK_PACKAGES))

# The server's first lines say where it listens, or why it does not.
run:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs"; exit 1; }
	has_display=$${DISPLAY:-}$${WAYLAND_DISPLAY:-}
	if [ -n "$$has_display" ]; then
		$(call install,$(BUILD_PACKAGES))
		cargo build --locked -p pychat-server -p pychat-gtk
	else
		cargo build --locked -p pychat-server
	fi
	exec 3< <(exec "$(TARGET)/pychat-server" --listen '$(ADDRESS)' 2>&1)
	server=$$!
	trap 'kill $$server 2>/dev/null || true; wait' EXIT
	while IFS= read -r line <&3; do
		echo "$$line"
		[[ "$$line" != *'listening on'* ]] || break
	done
	kill -0 $$server 2>/dev/null || exit 1
	cat <&3 &
	if [ -n "$$has_display" ]; then
		"$(TARGET)/pychat-gtk" --name '$(NAME)' '$(ADDRESS)'
	else
		echo
		echo 'There is no display here. Join from another terminal, line by line:'
		host='$(ADDRESS)' port=12345
		[[ "$$host" != *:* || "$$host" == *] ]] || { port=$${host##*:}; host=$${host%:*}; }
		host=$${host#[}
		echo "    nc $${host%]} $$port"
		echo '    {"type":"hello","username":"$(NAME)"}'
		echo '    {"type":"text","content":"Hello!"}'
		echo 'Ctrl+C stops the server.'
		wait $$server
	fi

# No server is built or started: ADDRESS is somebody else's, or that of a `make run` elsewhere.
client:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs"; exit 1; }
	$(call install,$(BUILD_PACKAGES))
	cargo build --locked -p pychat-gtk
	"$(TARGET)/pychat-gtk" --name '$(NAME)' '$(ADDRESS)'

check: deps
	@export CARGO_TERM_COLOR=never
	export SKIPPED=$$(mktemp)
	trap 'sed "s/^/skipped: /" "$$SKIPPED"; rm -f "$$SKIPPED"' EXIT
	before=$$(git status --porcelain)
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	for fuzz in pychat-wire/fuzz pychat-server/fuzz; do
		cargo clippy --locked --manifest-path $$fuzz/Cargo.toml --target-dir '$(TARGET)/../fuzz' \
			-- -D warnings
	done
	build-aux/check-crates '$(TARGET)/../tools'
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
	SOAK_SECONDS=60 cargo test --workspace --locked
	$(PROMISE_OF_SEVERAL) PROMISE_SECONDS=90 cargo test --workspace --locked --test promise -- no_accepted_message
	xmllint --noout data/*.xml pychat-gtk/resources/ui/*.ui pychat-gtk/resources/*.xml
	glib-compile-schemas --strict --dry-run data
	shellcheck $$(git ls-files | xargs grep -lE '^#!.*\b(ba)?sh$$')
	tests=pychat-gtk/tests
	$$tests/windows
	HEADLESS_TOUCH=1 $$tests/headless /usr/bin/python3 -m unittest discover -s $$tests/window -k Touch -v
	$$tests/headless-wayland /usr/bin/python3 -m unittest discover -s $$tests/window -k MainPath -v
	build-aux/check "$(TARGET)"
	$(MAKE) --no-print-directory check-deb
	$(MAKE) --no-print-directory check-debian13
	after=$$(git status --porcelain)
	[ "$$before" = "$$after" ] || {
		echo "make check has changed the tree:"
		echo "$$after"
		exit 1
	}

bench:
	@cargo bench --locked -p pychat-wire --bench codec
	cargo bench --locked -p pychat-server --bench fanout
	cargo bench --locked -p pychat-server --bench log
	cargo bench --locked -p pychat-server --bench search
	cargo bench --locked -p pychat-server --bench comeback

# It takes seven minutes; CASES=name,history,search runs only what begins so.
bench-hostile:
	@cargo bench --locked -q -p pychat-server --bench hostile

# It takes four minutes; FIGURES=start,flood measures only these.
bench-gtk: deps
	@cargo bench --locked -p pychat-gtk --bench window --no-run
	pychat-gtk/tests/headless cargo bench --locked -q -p pychat-gtk --bench window

# Until Ctrl+C, or until something is lost or shown twice.
promise:
	@PROMISE_SECONDS=0 cargo test --release --locked -p pychat-server --test promise -- --nocapture

PROMISE_OF_SEVERAL := PROMISE_STORE=postgres PROMISE_SERVERS=3

promise-cluster:
	@$(PROMISE_OF_SEVERAL) PROMISE_STANDBYS=2 PROMISE_SECONDS=0 cargo test --release --locked -p pychat-server --test promise -- --nocapture

# --- install ---

.PHONY: release install uninstall

PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
CATALOGDIR ?= $(PREFIX)/lib/systemd/catalog
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
RELEASE := $(or $(CARGO_TARGET_DIR),target)/release
STAGE := $(RELEASE)/stage

# Programs know where their translations and settings are, and nothing of where they were built.
release:
	@export PYCHAT_LOCALEDIR='$(PREFIX)/share/locale'
	export PYCHAT_SCHEMADIR='$(PREFIX)/share/glib-2.0/schemas'
	RUSTFLAGS="$${RUSTFLAGS:-} --remap-path-prefix=$(CURDIR)=/pychat"
	export RUSTFLAGS="$${RUSTFLAGS# } --remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}=/cargo"
	cargo build --release --locked -p pychat-server --bin pychat-server --example manual
	cargo build --release --locked -p pychat-gtk -p pychat-cli
	PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' UNITDIR='$(UNITDIR)' \
		CATALOGDIR='$(CATALOGDIR)' ZSHDIR='$(ZSHDIR)' build-aux/stage '$(RELEASE)' '$(STAGE)'

# Root often has no cargo, and needs none after `make release`.
install:
	@if command -v cargo >/dev/null; then
		$(MAKE) --no-print-directory release
	fi
	[ -x '$(STAGE)$(PREFIX)/bin/pychat-server' ] \
		|| { echo "Nothing is built for $(PREFIX): make release PREFIX=$(PREFIX)"; exit 1; }
	build-aux/place install '$(STAGE)' '$(DESTDIR)'

uninstall:
	@[ -x '$(STAGE)$(PREFIX)/bin/pychat-server' ] \
		|| { echo "Nothing is built for $(PREFIX): make release PREFIX=$(PREFIX)"; exit 1; }
	build-aux/place uninstall '$(STAGE)' '$(DESTDIR)'

# --- deb ---

.PHONY: deb

DEB_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))/deb

# Debhelper gives builds a home of their own, in which there is no cargo.
deb:
	@$(call install,$(DEB_PACKAGES))
	export CARGO_HOME="$${CARGO_HOME:-$$HOME/.cargo}" RUSTUP_HOME="$${RUSTUP_HOME:-$$HOME/.rustup}"
	export DEB_DIR='$(DEB_DIR)'
	rm -rf "$$DEB_DIR"
	mkdir -p "$$DEB_DIR"
	name=pychat_$$(dpkg-parsechangelog --show-field Version)_$$(dpkg --print-architecture)
	dpkg-buildpackage --build=binary --no-sign --post-clean \
		--buildinfo-file="$$DEB_DIR/$$name.buildinfo" --buildinfo-option="-u$$DEB_DIR" \
		--changes-file="$$DEB_DIR/$$name.changes" --changes-option="-u$$DEB_DIR"
	ls -l "$$DEB_DIR"

.PHONY: flatpak

# Crates are fetched before, by Cargo.lock: within the sandbox there is no network.
flatpak:
	@command -v flatpak-builder >/dev/null || { echo "flatpak-builder is missing"; exit 1; }
	cargo vendor --locked --quiet target/flatpak/vendor >/dev/null
	flatpak-builder --user --install --force-clean --install-deps-from=flathub \
		--state-dir=target/flatpak/state target/flatpak/build build-aux/io.github.pychat.Pychat.json

.PHONY: check-deb check-debian13 reproduce

check-deb: deb
	@$(call install,$(CHECK_DEB_PACKAGES))
	build-aux/check-deb '$(DEB_DIR)'
	cargo build --locked -p pychat-server --bin pychat-server
	pychat-server/tests/installed/run '$(DEB_DIR)' "$(TARGET)/pychat-server" || [ $$? = 77 ]

check-debian13: deb
	@$(call install,debootstrap)
	cargo build --locked -p pychat-server --bin pychat-server
	export ON_DEBIAN_PACKAGES='$(ON_DEBIAN_PACKAGES)'
	build-aux/check-on-debian trixie '$(DEB_DIR)' "$(TARGET)/pychat-server" || [ $$? = 77 ]

# Neither the folder nor the time of a build shows in what it makes. It compiles everything anew.
reproduce: deb
	@copy=$$(mktemp -d)
	trap 'rm -rf "$$copy"' EXIT
	git ls-files -z | xargs -0 cp --parents --target-directory="$$copy"
	env -u CARGO_TARGET_DIR $(MAKE) --no-print-directory -C "$$copy" deb DEB_DIR="$$copy/deb"
	build-aux/check-deb '$(DEB_DIR)' "$$copy/deb"
