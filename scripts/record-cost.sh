#!/bin/sh
# What recording costs an event: a program's malloc and free pairs with and without the recorder, in turns.
# Argument: the folder of the release build.
set -eu
library=$(cd "$1" && pwd)/liballocbench_record.so
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
gcc -O2 -fno-builtin -o "$folder/cost" "$(dirname "$0")/record-cost.c"
for turn in 1 2 3 4 5; do
    plain=$("$folder/cost")
    mkdir "$folder/spool"
    recorded=$(ALLOCBENCH_RECORD_DIR="$folder/spool" LD_PRELOAD="$library" "$folder/cost")
    rm -r "$folder/spool"
    echo "$plain $recorded"
done | awk '
    { m[NR] = ($3 - $1) / 2; p[NR] = ($4 - $2) / 2; print "pair plain " $1 " ns, recorded " $3 " ns" }
    END { asort_median(m); asort_median(p); printf "an event costs %.1f ns (median), %.1f ns in the slowest hundredth of batches\n", m[3], p[3] }
    function asort_median(a,   i, j, t) { for (i = 1; i <= 5; i++) for (j = i + 1; j <= 5; j++) if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t } }'
