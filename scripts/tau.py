#!/usr/bin/env python3
"""Order of engines in replay against exec: Kendall's tau-b over pairs of engines, a pair tied where ranges overlap.

usage: tau.py REPLAY/bench.csv EXEC_FOLDER   (EXEC_FOLDER/PROGRAM/runs.csv for every trace.PROGRAM)
"""
import csv, itertools, math, os, statistics, sys


def column(rows, value):
    found = {}
    for row in rows:
        found.setdefault(row["engine"], []).append(value(row))
    return found


def sign(a, b):
    if min(a) > max(b):
        return 1
    return -1 if max(a) < min(b) else 0


def tau(replay, real, engines):
    both = tied_replay = tied_real = pairs = 0
    for a, b in itertools.combinations(engines, 2):
        x, y = sign(replay[a], replay[b]), sign(real[a], real[b])
        both += x * y
        tied_replay += x == 0
        tied_real += y == 0
        pairs += 1
    return both, pairs - tied_replay, pairs - tied_real


def text(sums):
    both, left, right = sums
    return f"{both / math.sqrt(left * right):+.2f} ({both} of {math.sqrt(left * right):.1f})" if left and right else "no order"


def main():
    with open(sys.argv[1]) as file:
        replayed = [row for row in csv.DictReader(file) if row["pass"] == "throughput" and row["status"] == "ok"]
    totals = {"RSS": [0, 0, 0], "time": [0, 0, 0]}
    print("| program | engines by RSS in replay, MiB | in exec, MiB | tau RSS | tau time |\n|---|---|---|---|---|")
    for program in sorted(os.listdir(sys.argv[2])):
        path = os.path.join(sys.argv[2], program, "runs.csv")
        rows = [row for row in replayed if row["workload"] == "trace." + program]
        if not rows or not os.path.exists(path):
            continue
        with open(path) as file:
            runs = list(csv.DictReader(file))
        rss = column(rows, lambda row: int(row["resident_bytes_peak"]) - int(row["resident_bytes_before"]))
        time = column(rows, lambda row: int(row["elapsed_ns"]))
        real_rss = column(runs, lambda row: int(row["resident_bytes_peak"]))
        real_time = column(runs, lambda row: int(row["user_ns"]) + int(row["sys_ns"]))
        engines = [engine for engine in real_rss if engine in rss]
        order = lambda found: ", ".join(
            f"{engine} {statistics.median(found[engine]) / 2**20:.1f}"
            for engine in sorted(engines, key=lambda engine: statistics.median(found[engine])))
        by_rss, by_time = tau(rss, real_rss, engines), tau(time, real_time, engines)
        for name, sums in (("RSS", by_rss), ("time", by_time)):
            totals[name] = [a + b for a, b in zip(totals[name], sums)]
        print(f"| {program} | {order(rss)} | {order(real_rss)} | {text(by_rss)} | {text(by_time)} |")
    print(f"| all | | | {text(totals['RSS'])} | {text(totals['time'])} |")


main()
