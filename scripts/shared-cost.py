#!/usr/bin/env python3
"""Atomic read-modify-writes a block, for blocks freed by another thread and by their own, counted under callgrind.

Every executed instruction with a `lock` prefix and every `xchg` with memory counts, wherever it stands: in the allocator or
in a mutex that it calls. What the two threads' turns and start and end of the process cost is subtracted.
`pthread_mutex_lock` and `trylock` calls stand beside: an allocator with locks of its own shows none.

usage: shared-cost.py [NAME=LIBRARY]...   (glibc and ace always; BIN is the folder of the release build)
"""
import collections, os, re, subprocess, sys, tempfile

FEW, MANY, BATCH = 50, 250, 1000
SCRIPTS = os.path.dirname(os.path.abspath(__file__))


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        sys.exit(f"shared-cost: {words[0]}: {last[0] if last else 'failed'}")
    return done.stdout


def atomics_of(path, known={}):
    """Addresses of the atomic instructions of an object file."""
    if path not in known:
        known[path] = set()
        if os.path.exists(path):
            for line in run("objdump", "-d", "--no-show-raw-insn", path).splitlines():
                found = re.match(r"\s*([0-9a-f]+):\s+(.*)", line)
                if found and (re.match(r"lock ", found[2]) or re.match(r"xchg\s.*\(", found[2])):
                    known[path].add(int(found[1], 16))
    return known[path]


def parse(path):
    """Executed atomics and mutex calls of a callgrind file with --dump-instr=yes."""
    atomics = mutexes = 0
    objects, functions, address, call, obj = {}, {}, 0, False, ""

    def name(table, text):
        found = re.match(r"\((\d+)\)(?: (.*))?", text)
        if found[2] is not None:
            table[found[1]] = found[2]
        return table[found[1]]

    callee = ""
    for line in open(path):
        if line.startswith("ob="):
            obj = name(objects, line[3:].strip())
        elif line.startswith("cob="):
            name(objects, line[4:].strip())
        elif line.startswith("fn="):
            name(functions, line[3:].strip())
        elif line.startswith("cfn="):
            callee = name(functions, line[4:].strip())
        elif line.startswith("calls="):
            if re.match(r"(__)?pthread_mutex_(try)?lock", callee):
                mutexes += int(line[6:].split()[0])
            call = True
        elif line[:1] in "0+-*":
            words = line.split()
            if words[0][0] == "+":
                address += int(words[0][1:], 0)
            elif words[0][0] == "-":
                address -= int(words[0][1:], 0)
            elif words[0] != "*":
                address = int(words[0], 16)
            # The line after `calls=` is the callee's cost.
            if not call and len(words) > 2 and address in atomics_of(obj):
                atomics += int(words[2])
            call = False
    return collections.Counter(atomics=atomics, mutexes=mutexes)


def count(program, library, functions, batches, folder):
    out = os.path.join(folder, "out")
    run("valgrind", "--tool=callgrind", "--dump-instr=yes", f"--callgrind-out-file={out}", program, functions, str(batches),
        env={**os.environ, "LD_PRELOAD": library, "ACE_PURGE_DELAY_MS": "never"})
    return parse(out)


def more(program, library, functions, folder):
    """What the batches beyond FEW cost: start and end of the process fall out."""
    many, few = (count(program, library, functions, batches, folder) for batches in (MANY, FEW))
    many.subtract(few)
    return many


def main():
    ace = os.path.realpath(os.path.join(os.environ.get("BIN", "target/release"), "libace_alloc.so"))
    entries = [("glibc", ""), ("ace", ace)] + [tuple(word.split("=", 1)) for word in sys.argv[1:]]
    for _, library in entries:
        if library and not os.path.exists(library):
            sys.exit(f"shared-cost: {library} is missing; build it (make build), or name another")
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "shared-cost")
        run("cc", "-O2", "-fno-builtin", "-pthread", "-o", program, os.path.join(SCRIPTS, "shared-cost.c"))
        turns = more(program, "", "none", folder)
        blocks = (MANY - FEW) * BATCH
        print("| allocator | atomics a block, freed by another thread | freed by its own | mutex calls a thousand blocks, other | own |")
        print("|---|---:|---:|---:|---:|")
        for name, library in entries:
            found = {functions: more(program, library, functions, folder) for functions in ("remote", "local")}
            each = lambda functions, what: (found[functions][what] - turns[what]) / blocks
            print(f"| {name} | {each('remote', 'atomics'):.3f} | {each('local', 'atomics'):.3f} | "
                  f"{1000 * each('remote', 'mutexes'):.1f} | {1000 * each('local', 'mutexes'):.1f} |", flush=True)


main()
