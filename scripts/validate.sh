#!/bin/sh
# Checks that a result file holds a measured row for each engine × workload × thread count, with its figures filled in.
# Arguments: file, engines, workloads, threads (comma-separated).
set -eu
[ -s "$1" ] || { echo "validate: $1 is missing or empty" >&2; exit 1; }
awk -F, -v engines="$2" -v workloads="$3" -v threads="$4" '
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
# Quoted fields (only the detail of a failed row has any) stand behind the columns that are read here.
$column["status"] == "ok" && $column["pass"] == "throughput" && $column["ops_per_s"] + 0 > 0 && $column["elapsed_ns"] + 0 > 0 {
    seen[$column["engine"] "/" $column["workload"] "/" $column["threads"]]++
}
$column["status"] == "ok" && $column["pass"] == "latency" && $column["alloc_ns_p99"] != "" && $column["free_ns_p99"] != "" {
    timed[$column["engine"] "/" $column["workload"] "/" $column["threads"]]++
}
END {
    ne = split(engines, e, ","); nw = split(workloads, w, ","); nt = split(threads, t, ",")
    for (i = 1; i <= ne; i++) for (j = 1; j <= nw; j++) for (k = 1; k <= nt; k++) {
        key = e[i] "/" w[j] "/" t[k]
        if (seen[key] < 5) { print "validate: " key ": " seen[key] + 0 " measured throughput rows, 5 are the minimum"; bad++ }
        if (timed[key] < 3) { print "validate: " key ": " timed[key] + 0 " measured latency rows, 3 are the minimum"; bad++ }
        cells++
    }
    if (bad) exit 1
    print "validate: " cells " cells of engine × workload × threads hold all their figures"
}' "$1"
