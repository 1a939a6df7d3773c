#!/usr/bin/env python3
"""Counts how often `bench pair` is right.

  pair.py same PROGRAM [RUNS] [BUSY]     a receiver against itself: no run may report a regression
  pair.py slower PROGRAM [RUNS] [BUSY]   a receiver against the same with 10 % more work per delivery: every run should report it

PROGRAM is a release build of twenty-conform. BUSY is the number of processes that keep the processors busy meanwhile: by default
1 for `same` and 0 for `slower`. The receiver is the example that uses Node's http module. The extra work is a loop that takes 10 % of
the time of a delivery at the highest rate, which is measured anew before each run.

All traffic stays on 127.0.0.1, and every process is stopped at the end.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
import time

from example import busy, with_code

WORDS = {0: "pass", 1: "failed", 3: "inconclusive", 6: "regression"}


LOOP = "for (let i = 0; i < {count}; i++) globalThis.spun = Math.imul(globalThis.spun | 0, 31) + i | 0;"
TIMED = """
const spin = () => {{ {loop} }};
const times = [];
for (let i = 0; i < 300; i++) {{ const begin = process.hrtime.bigint(); spin(); times.push(Number(process.hrtime.bigint() - begin)); }}
console.log(Math.min(...times.slice(100)));
"""


def iterations(nanoseconds):
    """How often a loop runs in that time on a processor that does nothing else: work, which takes longer on a busy one."""
    count = 10_000
    took = subprocess.run(["node", "-e", TIMED.format(loop=LOOP.format(count=count))], check=True, capture_output=True, text=True).stdout
    return round(count * nanoseconds / float(took))


def receiver(folder, name, count):
    """The example with a loop of that many iterations."""
    work = f"  {LOOP.format(count=count)}\n" if count else ""
    return with_code(folder, name, work, prints=False)


def rate(program, command, folder):
    report = os.path.join(folder, "report.json")
    subprocess.run([program, "bench", "receiver", "--exec", command, "--concurrency", "16", "--duration", "3s", "--report", f"json={report}"],
                   check=True, capture_output=True)
    with open(report, encoding="utf-8") as file:
        return json.load(file)["total"]["rate"]


def main():
    what, program = sys.argv[1], os.path.abspath(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    if what not in ("same", "slower"):
        sys.exit(__doc__)
    hogs = int(sys.argv[4]) if len(sys.argv) > 4 else (1 if what == "same" else 0)
    results = collections.Counter()
    with tempfile.TemporaryDirectory() as folder, busy(hogs):
        base = receiver(folder, "base.mjs", 0)
        for nth in range(runs):
            candidate, extra = base, ""
            if what == "slower":
                nanoseconds = 1e9 / rate(program, base, folder) / 10
                candidate = receiver(folder, "candidate.mjs", iterations(nanoseconds))
                extra = f"{nanoseconds:.0f} ns more, "
            command = [program, "bench", "pair", "--base", base, "--candidate", candidate, "--seed", str(nth)]
            begun = time.monotonic()
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            word = WORDS.get(ran.returncode, f"status {ran.returncode}")
            results[word] += 1
            said = " ".join(ran.stdout.strip().splitlines()[-3::2]) if ran.stdout.strip() else ran.stderr.strip()
            print(f"run {nth + 1}: {extra}{time.monotonic() - begun:.0f} s, {word}: {said}", flush=True)
    print(", ".join(f"{count} {word}" for word, count in results.most_common()))


if __name__ == "__main__":
    main()
