#!/bin/sh
# Runs the loom models: the same code, its atomics and locks replaced by the model checker's. Argument: target folder.
set -eu
cd "$(dirname "$0")/.."
model() { # package, test
    RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS="${LOOM_MAX_PREEMPTIONS:-3}" \
        cargo test --locked --release --target-dir "$target" -p "$1" --test "$2"
}
target=$1
model mempool loom
model ace-alloc remote_model
