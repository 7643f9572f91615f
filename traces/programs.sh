#!/bin/sh
# The programs behind the traces: `sh traces/programs.sh NAME`. Each prints the same whenever it runs, uses no network
# but a local socket, and ends within seconds. PYTHON names a real interpreter: a version manager's shim would be what is
# recorded.
set -eu
PYTHON=${PYTHON:-/usr/bin/python3}

case "${1:-}" in
python_json) # every object through malloc: documents are built, written, parsed, compared
    PYTHONMALLOC=malloc PYTHONHASHSEED=0 exec "$PYTHON" -S -c '
import json
total = 0
for turn in range(3):
    documents = [{"id": i, "name": "user-%d" % i, "tags": ["t%d" % (i % 7)] * (i % 5), "score": i / 7} for i in range(9000)]
    text = json.dumps(documents)
    again = json.loads(text)
    total += len(text) + sum(len(d["tags"]) for d in again) + (again == documents)
print(total)' ;;
python_parser) # syntax trees of the standard library, held and dropped; small objects stay in the interpreter
    PYTHONHASHSEED=0 exec "$PYTHON" -S -c '
import ast, os
folder = os.path.dirname(os.__file__)
kept, nodes = [], 0
for name in sorted(os.listdir(folder))[:110]:
    if name.endswith(".py"):
        tree = ast.parse(open(os.path.join(folder, name), encoding="utf-8").read())
        nodes += sum(1 for _ in ast.walk(tree))
        kept.append(tree)
        kept = kept[-20:]
print(nodes)' ;;
sqlite) # bulk insert with two indices, a join, a delete, in memory
    exec sqlite3 :memory: "
create table t(a integer primary key, b text, c blob);
with recursive n(x) as (select 1 union all select x + 1 from n where x < 60000)
  insert into t select x, hex(x * 7919 % 65537) || printf('%0*d', x % 40, x), zeroblob(x % 200) from n;
create index by_b on t(b); create index by_size on t(length(c), a);
select count(*), sum(length(b)) from t join (select a as k from t where a % 3 = 0) on k = t.a;
delete from t where a % 2 = 0; select count(*), min(b) from t;" ;;
git) # history with changed files: packs are read, trees compared
    exec git -C "$(dirname "$0")/.." -c core.pager=cat log --stat --format=%h -n 60 "${TRACE_REVISION:-HEAD}" ;;
gcc) # the compiler proper and the assembler, as children of the driver
    exec gcc -O2 -x c -c -o /dev/null "$(dirname "$0")/programs.c" ;;
redis) # a server without persistence under 60,000 requests, overwritten and emptied; the clients are children
    folder=$(mktemp -d)
    redis-server --port 0 --unixsocket "$folder/s" --save '' --appendonly no --dir "$folder" >/dev/null &
    server=$!
    trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
    until redis-cli -s "$folder/s" ping >/dev/null 2>&1; do sleep 0.05; done
    redis-benchmark -s "$folder/s" -q -n 15000 -c 8 -r 20000 -d 120 -t set,lpush >/dev/null
    redis-benchmark -s "$folder/s" -q -n 10000 -c 8 -r 20000 -d 600 -t set,sadd,hset >/dev/null
    redis-cli -s "$folder/s" flushall
    redis-cli -s "$folder/s" shutdown nosave >/dev/null 2>&1 || true
    wait ;;
*)
    echo "usage: sh traces/programs.sh python_json|python_parser|sqlite|git|gcc|redis" >&2
    exit 2 ;;
esac
