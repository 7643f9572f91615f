#!/bin/sh
# Studies the gate: false alarms of equal sides (half of them on a loaded machine) and what is caught of planted
# regressions. Appends a row a gate and goes on where the file ends; cut it whenever you like. Nothing else should run.
# Arguments go to `allocbench power`, e.g. --limit 100, --cells aa_quiet,p99_10, --shard 1/4, --base jemalloc.
set -eu
cd "$(dirname "$0")/.."
bin=${CARGO_TARGET_DIR:-target}/release/allocbench
out=results/reference/gate-power.csv
"$bin" power --out "$out" "$@"
"$bin" power --out "$out" --table > results/reference/gate-power.md.part
mv results/reference/gate-power.md.part results/reference/gate-power.md
