#!/bin/sh
# Runs real programs without and with ACE-Alloc preloaded and compares exit codes, output and test verdicts; what is a
# time, a rate, a process id or an address is masked. Arguments: [-l library] [case...]; without cases, all of them.
# Prints a table: program, verdict, seconds and peak resident memory of both runs. A program that the machine lacks is
# skipped and said; nothing is installed. Exit 1 if any program behaves differently.
set -u
cd "$(dirname "$0")/.."
LIBRARY="${CARGO_TARGET_DIR:-target}/release/libace_alloc.so"
if [ "${1:-}" = -l ]; then LIBRARY=$2; shift 2; fi
ALL="py_json py_dict py_list py_threading py_futures py_sqlite3 git gcc gxx cargo sqlite redis node stress_ng stress_ng_fork harness harness_global"
CASES="${*:-$ALL}"
LIMIT_S="${REAL_PROGRAMS_LIMIT_S:-600}"

[ -f "$LIBRARY" ] || { echo "real-programs: $LIBRARY is missing; run: cargo build --release --workspace" >&2; exit 1; }
LIBRARY=$(realpath "$LIBRARY")
ROOT=$(pwd)
BIN=$(dirname "$LIBRARY")
[ -x /usr/bin/time ] || { echo "real-programs: /usr/bin/time is missing (Debian: apt-get install time)" >&2; exit 1; }
LD_PRELOAD="$LIBRARY" cat /proc/self/maps 2>&1 | grep -q libace_alloc ||
    { echo "real-programs: the loader does not take $LIBRARY" >&2; exit 1; }
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM
export LC_ALL=C TZ=UTC HOME="$WORK/home" GIT_CONFIG_NOSYSTEM=1 PYTHONHASHSEED=0 CARGO_TERM_COLOR=never
REAL_HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
export RUSTUP_HOME="${RUSTUP_HOME:-$REAL_HOME/.rustup}" CARGO_HOME="${CARGO_HOME:-$REAL_HOME/.cargo}"
mkdir -p "$HOME"

has() { command -v "$1" > /dev/null 2>&1; }

# The real file of a program; a version manager's script would be preloaded in its place.
is_elf() { [ "$(head -c 4 "$1" 2> /dev/null | tail -c 3)" = ELF ]; }
real() {
    found=$(command -v "$1" 2> /dev/null) || return 1
    case $1 in
    python3) found=$("$found" -c 'import os, sys; print(os.path.realpath(sys.executable))' 2> /dev/null) || return 1 ;;
    cargo) if has rustup; then found=$(cd "$ROOT" && rustup which cargo 2> /dev/null) || return 1; fi ;;
    esac
    # Links stay links: some programs look at the name by which they were called.
    is_elf "$found" && echo "$found"
}

# Runs a program of the case at hand, with its time and memory noted; PRELOAD names the library of the second pass.
under() {
    timeout "$LIMIT_S" /usr/bin/time -q -a -o "$WORK/cost.$PASS" -f '%e %M' env ${PRELOAD:+LD_PRELOAD="$PRELOAD"} "$@"
}

mask() {
    sed -E -e "s#$WORK#WORK#g" -e 's/0x[0-9a-f]{4,}/ADDRESS/g' -e 's/[0-9]+:[0-9]{2}:[0-9]{2}/CLOCK/g' \
        -e 's/load avg: [0-9.]+/LOAD/g' -e 's/[0-9]+(\.[0-9]+)? ?(ms|msec|milliseconds|us|secs?|seconds|mins?|s)\b/TIME/g' \
        -e 's/[0-9.]+ requests per second.*/RATE/' -e 's/\[[0-9]+\]/[PID]/g' -e 's/python3-[0-9]+/python3-PID/g' "$1"
}

# --- the cases: needs_X says whether the machine has it; case_X prints what is compared -----------------------------

# The first interpreter that has the test: distributions ship them in a package of their own.
needs_python() {
    for PYTHON in $(real python3) /usr/bin/python3; do
        if is_elf "$PYTHON" && "$PYTHON" -c "import test.$1" 2> /dev/null; then return 0; fi
    done
    return 1
}
# A line a test, in any order: threads of tests may print between.
python_test() {
    under "$PYTHON" -m test -v "$1" > out 2>&1
    code=$?
    grep -aE '(\.\.\.|^) ?(ok|FAIL|ERROR|skipped .*|expected failure)$' out | sort
    grep -aE '^(Ran|OK|FAILED|Result:|== Tests result:)' out
    return $code
}
needs_py_json() { needs_python test_json; }; case_py_json() { python_test test_json; }
needs_py_dict() { needs_python test_dict; }; case_py_dict() { python_test test_dict; }
needs_py_list() { needs_python test_list; }; case_py_list() { python_test test_list; }
needs_py_threading() { needs_python test_threading; }; case_py_threading() { python_test test_threading; }
needs_py_futures() { needs_python test_concurrent_futures; }; case_py_futures() { python_test test_concurrent_futures; }
needs_py_sqlite3() { needs_python test_sqlite3; }; case_py_sqlite3() { python_test test_sqlite3; }

needs_git() { GIT=$(real git); }
case_git() {
    "$GIT" init -q --bare source.git
    awk 'BEGIN {
        for (c = 1; c <= 600; c++) {
            printf "commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 8\ncommit %s", 1e9 + c * 60, (c % 10)
            for (f = 0; f < 5; f++) {
                text = ""
                for (l = 0; l < 40 + c % 50; l++) text = text "line " l " of " (c * 7 + f * l) % 997 "\n"
                printf "\nM 100644 inline d%d/f%d\ndata %d\n%s", c % 20, (c * 5 + f) % 90, length(text), text
            }
            print ""
        }
    }' | "$GIT" -C source.git fast-import --quiet &&
        under "$GIT" clone -q source.git copy &&
        under "$GIT" -C copy -c pack.threads=2 -c gc.auto=0 gc --quiet --aggressive &&
        under "$GIT" -C copy log --stat -p -n 200 | sha256sum &&
        under "$GIT" -C copy blame d1/f5 | sha256sum &&
        under "$GIT" -C copy fsck --full 2>&1 &&
        "$GIT" -C copy rev-list --all --objects | sort | sha256sum
}

needs_gcc() { GCC=$(real gcc); }
case_gcc() {
    awk 'BEGIN {
        print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>"
        for (i = 0; i < 250; i++)
            printf "static int f%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) { if (a[i] %% %d) s += a[i] * %d; else s ^= a[i] << %d; } return s; }\n", i, i, i % 13 + 2, i, i % 7
        print "int main(void) { int a[100], s = 0; for (int i = 0; i < 100; i++) a[i] = i * i;"
        for (i = 0; i < 250; i++) printf "s += f%d(a, %d);\n", i, i % 100
        print "printf(\"%d\\n\", s); return 0; }"
    }' > t.c
    under "$GCC" -O2 -g -o t t.c && ./t && objcopy --only-section=.text -O binary t text && sha256sum < text
}
needs_gxx() { GXX=$(real g++); }
case_gxx() {
    awk 'BEGIN {
        print "#include <algorithm>\n#include <functional>\n#include <iostream>\n#include <map>\n#include <regex>\n#include <string>\n#include <unordered_map>\n#include <vector>"
        for (i = 0; i < 60; i++)
            printf "template <int N> struct S%d { std::map<int, std::vector<std::string>> m; int g() { for (int i = 0; i < N; i++) m[i %% 7].push_back(std::to_string(i)); return (int)m[%d].size(); } };\n", i, i % 7
        print "int main() { int s = 0;"
        for (i = 0; i < 60; i++) printf "{ S%d<%d> x; s += x.g(); }\n", i, i * 3 + 10
        print "std::regex r(\"a+b*\"); std::cout << s << std::regex_match(\"aab\", r) << std::endl; }"
    }' > t.cc
    under "$GXX" -O2 -o t t.cc && under ./t && objcopy --only-section=.text -O binary t text && sha256sum < text
}

needs_cargo() { CARGO=$(real cargo); }
case_cargo() {
    mkdir -p small/src
    printf '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n' > small/Cargo.toml
    awk 'BEGIN {
        print "use std::collections::HashMap;"
        for (i = 0; i < 200; i++) printf "fn f%d(v: &[u32]) -> u32 { v.iter().map(|x| x.wrapping_mul(%d)).filter(|x| x %% %d != 0).fold(%d, |a, b| a ^ b) }\n", i, i + 3, i % 9 + 2, i
        print "fn main() { let v: Vec<u32> = (0..1000).collect(); let mut m = HashMap::new();"
        for (i = 0; i < 200; i++) printf "m.insert(%d, f%d(&v));\n", i, i
        print "let mut k: Vec<_> = m.into_iter().collect(); k.sort(); println!(\"{:?}\", &k[..20]); }"
    }' > small/src/main.rs
    (cd small && PATH="$(dirname "$CARGO"):$PATH" under "$CARGO" build --release --offline 2>&1) && under small/target/release/small
}

needs_sqlite() { SQLITE=$(real sqlite3); }
case_sqlite() {
    cat > in.sql << 'SQL'
create table t(id integer primary key, a text, b real, c blob);
with recursive n(x) as (select 1 union all select x + 1 from n where x < 200000)
insert into t select x, hex(x * 7919 % 10007), x / 3.0, zeroblob(x % 50) from n;
create index ta on t(a);
select count(*), sum(length(a)), round(sum(b), 3) from t;
select a, count(*) n from t group by a order by n desc, a limit 10;
delete from t where id % 3 = 0;
update t set a = a || '-' || id where id % 5 = 0;
select count(*), group_concat(a) from (select a from t order by a limit 200);
with recursive f(i, s) as (select 1, 'x' union all select i + 1, s || i from f where i < 2000) select max(length(s)) from f;
vacuum;
pragma integrity_check;
SQL
    under "$SQLITE" file.db < in.sql && under "$SQLITE" :memory: < in.sql
}

needs_redis() { REDIS=$(real redis-server) && REDIS_BENCHMARK=$(real redis-benchmark) && has redis-cli; }
case_redis() {
    under "$REDIS" --port 0 --unixsocket "$PWD/socket" --save '' --appendonly no --io-threads 2 --logfile "$PWD/log" &
    server=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        redis-cli -s socket ping > /dev/null 2>&1 && break
        sleep 0.25
    done
    under "$REDIS_BENCHMARK" -s socket -q -n 100000 -P 16 -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100 < /dev/null |
        tr '\r' '\n' | grep -a 'requests per second' | sed 's/:.*//'
    echo "debug populate"; redis-cli -s socket debug populate 100000 key 100
    redis-cli -s socket dbsize
    redis-cli -s socket config set activedefrag yes > /dev/null 2>&1
    redis-cli -s socket bgsave > /dev/null # forks the threaded server
    sleep 1
    redis-cli -s socket info persistence | grep -a rdb_last_bgsave_status
    redis-cli -s socket flushall
    redis-cli -s socket info stats | grep -aE '^(total_error_replies|evicted_keys)'
    redis-cli -s socket shutdown nosave
    wait $server
}

needs_node() { NODE=$(real node); }
case_node() {
    cat > t.js << 'JS'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto');
function work(n) {
  const m = new Map(); let kept = [];
  for (let i = 0; i < 100000; i++) { m.set('k' + (i * n) % 5003, { i, s: 'x'.repeat(i % 40) }); if (i % 100 === 0) kept.push(Buffer.alloc(i % 9000 + 1, i)); }
  const text = JSON.stringify([...m]);
  const packed = zlib.gzipSync(text), back = zlib.gunzipSync(packed).toString();
  return [m.size, kept.length, back === text, crypto.createHash('sha256').update(text).digest('hex')];
}
if (isMainThread) {
  console.log(work(7));
  Promise.all([1, 2, 3, 4].map(n => new Promise((y, no) => { const w = new Worker(__filename, { workerData: n }); w.on('message', y); w.on('error', no); })))
    .then(r => { console.log(r); console.log(require('child_process').execFileSync('echo', ['child']).toString()); });
} else parentPort.postMessage(work(workerData));
JS
    under "$NODE" t.js
}

needs_stress_ng() { STRESS=$(real stress-ng); }
case_stress_ng() {
    under "$STRESS" --malloc 2 --malloc-ops 30000 --malloc-bytes 2M --malloc-max 2000 --malloc-pthreads 2 --malloc-touch --verify --timeout 60 2>&1 |
        grep -aoE 'successful run completed|unsuccessful run completed|fail|passed: [0-9]+: .*|failed: [1-9].*'
}
needs_stress_ng_fork() { STRESS=$(real stress-ng); }
case_stress_ng_fork() {
    under "$STRESS" --fork 2 --fork-ops 1000 --pthread 2 --pthread-ops 2000 --heapsort 1 --heapsort-ops 2 --tree 1 --tree-ops 2 --timeout 60 2>&1 |
        grep -aoE 'successful run completed|unsuccessful run completed|fail|passed: [0-9]+: .*|failed: [1-9].*'
}

needs_harness() { [ -x "$BIN/allocbench" ] && [ -x "$BIN/allocbench-cell" ]; }
# Lists, measures and reports with the allocbench given.
measure_with() {
    under "$1" list &&
        under "$1" bench --engines system,jemalloc,mempool_baseline --workloads rl_small,fragmentation_mix \
            --ops 20000 --threads 1,2 --reps 3 --passes throughput,latency --out "$PWD/results" > log 2>&1
    code=$?
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } { print $c["engine"], $c["workload"], $c["threads"], $c["pass"], $c["status"] }' \
        results/bench.csv | sort | uniq -c
    under "$1" report results/bench.csv --no-plots > /dev/null 2>> log || code=1
    ls results
    return $code
}
case_harness() { measure_with "$BIN/allocbench"; }

# The harness built with ACE-Alloc as its global allocator, instead of preloaded. It speaks up when it is there.
needs_harness_global() {
    needs_harness && [ -x "$BIN/allocbench-ace-global" ] &&
        ACE_BATCH=nonsense "$BIN/allocbench-ace-global" list 2>&1 > /dev/null | grep -q ACE_BATCH &&
        ! ACE_BATCH=nonsense "$BIN/allocbench" list 2>&1 > /dev/null | grep -q ACE_BATCH
}
case_harness_global() {
    PRELOAD=
    if [ "$PASS" = ace ]; then measure_with "$BIN/allocbench-ace-global"; else measure_with "$BIN/allocbench"; fi
}

# --- one case twice ---------------------------------------------------------------------------------------------------

one_pass() { # case, pass: output and exit code into files
    PASS=$2
    PRELOAD=
    [ "$PASS" = plain ] || PRELOAD=$LIBRARY
    mkdir -p "$WORK/run" && cd "$WORK/run" || exit 1
    : > "$WORK/cost.$PASS"
    "case_$1" > "$WORK/raw.$PASS" 2>&1
    echo "exit $?" >> "$WORK/raw.$PASS"
    cd "$ROOT" || exit 1
    rm -rf "$WORK/run"
    mask "$WORK/raw.$PASS" > "$WORK/out.$PASS"
}

cost() { awk '{ s += $1; if ($2 > m) m = $2 } END { printf "%.1f %.1f", s, m / 1024 }' "$WORK/cost.$1"; }

failed=0
printf '%-16s %-10s %9s %9s %10s %10s\n' program verdict 'plain s' 'ace s' 'plain MiB' 'ace MiB'
for name in $CASES; do
    if ! "needs_$name" > /dev/null 2>&1; then
        printf '%-16s %-10s the machine lacks it\n' "$name" skipped
        continue
    fi
    one_pass "$name" plain
    one_pass "$name" ace
    if tail -q -n 1 "$WORK/out.plain" "$WORK/out.ace" | grep -q '^exit 124$'; then
        # Nothing is known of a program that was stopped: neither alike nor different.
        verdict=timeout
        failed=1
    elif ! cmp -s "$WORK/out.plain" "$WORK/out.ace"; then
        verdict=DIFFERENT
        failed=1
    elif tail -n 1 "$WORK/out.plain" | grep -q '^exit 0$'; then
        verdict=same
    else
        # Alike, but the program fails by itself on this machine.
        verdict="same:$(tail -n 1 "$WORK/out.plain" | tr ' ' '-')"
    fi
    # shellcheck disable=SC2046 # the four figures are four words
    set -- $(cost plain) $(cost ace)
    printf '%-16s %-10s %9s %9s %10s %10s\n' "$name" "$verdict" "$1" "$3" "$2" "$4"
    if [ "$verdict" = DIFFERENT ]; then
        diff "$WORK/out.plain" "$WORK/out.ace" | head -n 40 | sed 's/^/    /'
        if [ -n "${REAL_PROGRAMS_KEEP:-}" ]; then cp "$WORK/raw.plain" "$REAL_PROGRAMS_KEEP/$name.plain"; cp "$WORK/raw.ace" "$REAL_PROGRAMS_KEEP/$name.ace"; fi
    elif [ "$verdict" != same ] && [ "$verdict" != timeout ]; then
        tail -n 6 "$WORK/raw.plain" | sed 's/^/    /'
    fi
done
exit $failed
