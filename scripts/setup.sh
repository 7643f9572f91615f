#!/bin/sh
# Checks for what the build needs; installs Debian packages where it may (root, apt-get), else says what to do.
# Arguments: cargo cc cxx valgrind, in any order. A missing valgrind is said but is no error.
set -eu

has() { command -v "$1" > /dev/null 2>&1; }

install() { # package, why
    if has apt-get && [ "$(id -u)" = 0 ]; then
        echo "setup: installing $1 ($2)"
        if { apt-get install -y -qq "$1" || { apt-get update -qq && apt-get install -y -qq "$1"; }; } > /dev/null 2>&1; then
            return 0
        fi
    fi
    return 1
}

for need in "$@"; do
    case $need in
    cargo)
        has cargo || { echo "setup: cargo is missing; install Rust with rustup (https://rustup.rs), then run make again" >&2; exit 1; } ;;
    cc)
        { has cc && has make; } || install build-essential "a C compiler for jemalloc and mimalloc" ||
            { echo "setup: a C compiler is missing; install gcc and make (Debian: apt-get install build-essential), then run make again" >&2; exit 1; } ;;
    cxx)
        has g++ || install g++ "a C++ compiler for snmalloc and tcmalloc" ||
            { echo "setup: g++ is missing; install it (Debian: apt-get install g++), then run make again" >&2; exit 1; } ;;
    valgrind)
        has valgrind || install valgrind "counts instructions" ||
            echo "setup: valgrind is missing, so instructions per operation will be left out (Debian: apt-get install valgrind)" >&2 ;;
    *)
        echo "setup: unknown requirement '$need'" >&2; exit 2 ;;
    esac
done
