#!/usr/bin/env python3
"""How often is `bench pair` right?

  pair.py same PROGRAM [RUNS]     a receiver against itself, with a process beside it that takes all the time it gets: no run
                                  may tell a regression
  pair.py slower PROGRAM [RUNS]   a receiver against the same with a tenth more work for each delivery, nothing else going on:
                                  the regression is to be found

PROGRAM is a release build of twenty-conform. The receiver is the example on Node's own http module; the further work is a
loop for a tenth of what a delivery takes, which is measured first.

Invariant: nothing leaves 127.0.0.1, and every process that is started here is ended here.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../fixtures/implementations/receivers/node-http/server.mjs")
BEGINS = "function isGenuine(headers, body) {\n"
WORDS = {0: "pass", 1: "failed", 3: "inconclusive", 6: "regression"}


def receiver(folder, name, nanoseconds):
    """The example with that much more work, and without a line for each delivery."""
    with open(EXAMPLE, encoding="utf-8") as file:
        source = file.read()
    work = f"  const end = process.hrtime.bigint() + {nanoseconds}n; while (process.hrtime.bigint() < end);\n" if nanoseconds else ""
    assert source.count(BEGINS) == 1
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source.replace(BEGINS, BEGINS + work).replace("process.stdout.write(", "void ("))
    return f"node {path}"


def rate(program, command, folder):
    report = os.path.join(folder, "report.json")
    subprocess.run([program, "bench", "receiver", "--exec", command, "--concurrency", "16", "--duration", "3s", "--report", f"json={report}"],
                   check=True, capture_output=True)
    with open(report, encoding="utf-8") as file:
        return json.load(file)["total"]["rate"]


def main():
    what, program = sys.argv[1], os.path.abspath(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    with tempfile.TemporaryDirectory() as folder:
        base = receiver(folder, "base.mjs", 0)
        candidate, hog = base, None
        if what == "slower":
            carried = rate(program, base, folder)
            nanoseconds = round(1e9 / carried / 10)
            candidate = receiver(folder, "candidate.mjs", nanoseconds)
            print(f"the base carries {carried:.0f} a second; the candidate works {nanoseconds} ns more on each", flush=True)
        elif what != "same":
            sys.exit(__doc__)
        told = collections.Counter()
        try:
            if what == "same":
                hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for nth in range(runs):
                command = [program, "bench", "pair", "--base", base, "--candidate", candidate, "--seed", str(nth)]
                ran = subprocess.run(command, capture_output=True, text=True, check=False)
                word = WORDS.get(ran.returncode, f"status {ran.returncode}")
                told[word] += 1
                print(f"run {nth + 1}: {word}: {ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ran.stderr.strip()}", flush=True)
        finally:
            if hog:
                hog.terminate()
                hog.wait()
        print(", ".join(f"{count} {word}" for word, count in told.most_common()))


if __name__ == "__main__":
    main()
