#!/usr/bin/env bash
# Installs what building (build), testing (test), fuzzing (fuzz) and measuring (bench) spanwatch need on Debian 12 and 13.
# Asks nothing, does nothing when nothing is missing, and uses what is already there whoever installed it.
# usage: install-debian.sh build|test|fuzz|bench...
set -euo pipefail

readonly RUST_MINIMUM=1.85
readonly APT_OPTIONS=(-y --no-install-recommends -o DPkg::Lock::Timeout=600)
# Services that some packages would start at once and at every boot; only their tools are wanted here.
readonly UNWANTED_SERVICES=(argus-server nfdump prometheus softflowd)
FIND_PYTHON=$(dirname "$0")/find-python.sh
readonly FIND_PYTHON
PATH="$PATH:$HOME/.cargo/bin:/usr/local/sbin:/usr/sbin:/sbin"
missing=()

say() { printf 'install: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
# A package's command may be there without the package: from a vendor, pyenv, rustup or a container image.
want_command() { have "$1" || want "$2"; }
want_library() { { have pkg-config && pkg-config --exists "$1"; } || want "$2"; }
want_package() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$' || want "$1"; }
want() {
    local package
    for package in "$@"; do
        case " ${missing[*]} " in *" $package "*) ;; *) missing+=("$package") ;; esac
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi
}

want_build() {
    want_package ca-certificates
    want_command gcc gcc
    want_command ip iproute2
    want_command make make
    want_command pkg-config pkg-config
    want_library libpcap libpcap-dev
    want_library libsystemd libsystemd-dev
    # A C compiler without the C library's headers is what a minimal image has.
    [ -e /usr/include/stdlib.h ] || want libc6-dev
    "$FIND_PYTHON" >/dev/null || want python3 python3-dev python3-venv
}

want_test() {
    want_command debootstrap debootstrap
    want_command ethtool ethtool
    want_command logrotate logrotate
    want_command lz4 lz4
    want_command promtool prometheus
    want_command systemd-analyze systemd
    want_command systemd-nspawn systemd-container
    want_command tcpdump tcpdump
    want_command tcpreplay tcpreplay
    want_command tshark tshark
    want_command zstd zstd
    # The system test builds for Debian's own Python, whichever one PATH finds first.
    want_package python3-dev
    want_package python3-venv
}

want_fuzz() {
    want_command c++ g++
}

want_bench() {
    want_command argus argus-server
    want_command ndpiReader libndpi-bin
    want_command netsniff-ng netsniff-ng
    want_command nfpcapd nfdump
    want_command softflowd softflowd
    want_command valgrind valgrind
}

rust_advice() {
    die "$1; spanwatch needs Rust $RUST_MINIMUM or newer. Next step: install it from https://rustup.rs" \
        "(or, with rustup there: rustup update stable), then run this again."
}

# The packages of the newest Rust that this Debian has: Debian 12 has a newer one beside its own, for web browsers.
debian_rust() {
    local package version
    for package in rustc rustc-web; do
        version=$(apt-cache policy "$package" | awk '/Candidate:/ {print $2}')
        at_least "${version:-0}" "$RUST_MINIMUM" || continue
        case $package in
            rustc) echo rustc cargo rustfmt rust-clippy ;;
            rustc-web) echo rustc-web cargo-web rustfmt-web rust-web-clippy ;;
        esac
        return
    done
    rust_advice "this Debian packages no Rust that is new enough"
}

install_rust() {
    local tool version packages
    if ! have cargo; then
        refresh_lists
        packages=$(debian_rust)
        # shellcheck disable=SC2086  # several names
        install_packages $packages
    fi
    for tool in cargo rustc; do
        version=$("$tool" --version 2>/dev/null | awk '{print $2}') || true
        [ -n "$version" ] || rust_advice "$tool does not run"
        at_least "$version" "$RUST_MINIMUM" || rust_advice "$(command -v "$tool") is $version, too old"
    done
}

install_rust_checkers() {
    if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then return; fi
    if have rustup; then rustup component add rustfmt clippy; return; fi
    say "cargo fmt or cargo clippy is missing and this Rust did not come from Debian or rustup:" \
        "install both where $(command -v cargo) came from"
    exit 1
}

lists_are_fresh=no
refresh_lists() {
    [ "$lists_are_fresh" = no ] || return 0
    privileged_or_die
    as_root apt-get -q update >&2 || say "apt-get update failed; going on with the package lists that are there"
    lists_are_fresh=yes
}

privileged_or_die() {
    if [ "$(id -u)" -eq 0 ] || have sudo; then return; fi
    say "something is missing, and there is neither root nor sudo. Next step, as root:"
    [ "${#missing[@]}" -eq 0 ] || say "  apt-get install ${missing[*]}"
    have cargo || say "  apt-get install rustc cargo rustfmt rust-clippy" \
        "(Debian 12: rustc-web cargo-web rustfmt-web rust-web-clippy)"
    exit 1
}

# Until the packages are in, policy-rc.d (Debian's own switch) keeps their services from starting.
install_packages() {
    local policy=/usr/sbin/policy-rc.d made_policy=no service status=0
    say "installing $*"
    if [ ! -e "$policy" ]; then
        as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
        made_policy=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install "${APT_OPTIONS[@]}" "$@" >&2 || status=$?
    [ "$made_policy" = no ] || as_root rm -f "$policy"
    [ "$status" -eq 0 ] || die "apt-get install failed: see above"
    for service in "${UNWANTED_SERVICES[@]}"; do
        case " $* " in *" $service "*) as_root systemctl --quiet disable "$service.service" || true ;; esac
    done
}

main() {
    local group
    have apt-get || die "this is not Debian: install by hand what README.md lists under Requirements"
    for group in "$@"; do "want_$group"; done
    if [ "${#missing[@]}" -gt 0 ]; then
        privileged_or_die
        refresh_lists
        install_packages "${missing[@]}"
    fi
    "$FIND_PYTHON" >/dev/null || die "neither $(command -v python3) nor /usr/bin/python3 is Python 3.11 or newer with" \
        "venv and headers. Next step: put one that is first on PATH."
    case " $* " in *" build "*) install_rust ;; esac
    case " $* " in *" test "*) install_rust_checkers ;; esac
}

main "$@"
