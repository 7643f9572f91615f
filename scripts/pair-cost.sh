#!/bin/sh
# Instructions of a malloc and its free through the C interface, loop subtracted, by callgrind: exact, repeatable, free of
# the machine's noise. Each further argument NAME=LIBRARY adds an allocator to glibc and ACE-Alloc.
#   scripts/pair-cost.sh [--max PAIRS_INSTRUCTIONS] [NAME=LIBRARY]...
# With --max, ends with 1 if ACE-Alloc needs more than that for any shape.
set -eu
BIN="${BIN:-target/release}"
SOURCE="$(dirname "$0")/pair-cost.c"
MAX=
if [ "${1:-}" = --max ]; then MAX=${2:?pair-cost: --max needs a number}; shift 2; fi
[ -f "$BIN/libace_alloc.so" ] || { echo "pair-cost: $BIN/libace_alloc.so is missing; run: make build" >&2; exit 2; }
for tool in cc valgrind; do
    command -v $tool > /dev/null || { echo "pair-cost: $tool is missing (Debian: apt-get install gcc valgrind)" >&2; exit 2; }
done
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cc -O2 -o "$WORK/pair-cost" "$SOURCE"

PAIRS=100000
# Instructions of a run; $1 library or nothing, then the program's words.
count() {
    library=$1; shift
    LD_PRELOAD="$library" valgrind --tool=callgrind --callgrind-out-file="$WORK/out" "$WORK/pair-cost" "$@" > /dev/null 2> "$WORK/log" ||
        { tail -n 1 "$WORK/log" >&2; return 1; }
    awk '/^totals:/ { print $2 }' "$WORK/out"
}
# What N more pairs cost: start and end of the process fall out.
more() { # library, shape, functions
    few=$(count "$1" "$2" "$3" $PAIRS) && many=$(count "$1" "$2" "$3" $((PAIRS * 3))) && echo $((many - few))
}

STUB_INSTRUCTIONS=3
printf '%-18s %8s %8s %8s   instructions a pair\n' allocator ring batch mixed
# The loop costs the same under every library.
for shape in ring batch mixed; do more "" $shape stub > "$WORK/stub.$shape"; done
worst=0
for entry in glibc= "ace=$(realpath "$BIN/libace_alloc.so")" "$@"; do
    name=${entry%%=*}; library=${entry#*=}
    [ -z "$library" ] || [ -f "$library" ] || { echo "pair-cost: $library is missing" >&2; exit 2; }
    line=
    for shape in ring batch mixed; do
        engine=$(more "$library" $shape engine)
        figure=$(echo "$engine $(cat "$WORK/stub.$shape")" | awk -v n=$((PAIRS * 2)) -v s=$STUB_INSTRUCTIONS '{ printf "%.1f", ($1 - $2) / n + s }')
        line="$line $figure"
        [ "$name" != ace ] || worst=$(echo "$worst $figure" | awk '{ print ($1 > $2 ? $1 : $2) }')
    done
    # shellcheck disable=SC2086 # the figures are words
    printf '%-18s %8s %8s %8s\n' "$name" $line
done
if [ -n "$MAX" ]; then
    echo "$worst $MAX" | awk '$1 > $2 { print "pair-cost: ace needs " $1 " instructions a pair, more than " $2; exit 1 }' >&2
fi
