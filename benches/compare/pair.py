#!/usr/bin/env python3
"""Counts how often `bench pair` is right.

  pair.py same PROGRAM [RUNS]     a receiver against itself, next to a busy process: no run may report a regression
  pair.py slower PROGRAM [RUNS]   a receiver against the same with 10 % more work per delivery, on an idle machine: every run
                                  should report a regression

PROGRAM is a release build of twenty-conform. The receiver is the example that uses Node's http module. The extra work is a loop
for 10 % of the measured time of a delivery.

All traffic stays on 127.0.0.1, and every process is stopped at the end.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../fixtures/implementations/receivers/node-http/server.mjs")
VERIFY = re.compile(r"^function \w+\(headers, body\) \{\n", re.M)  # the example's function that verifies a delivery
WORDS = {0: "pass", 1: "failed", 3: "inconclusive", 6: "regression"}


def receiver(folder, name, nanoseconds):
    """The example with that much extra work, and without printing a line for each delivery."""
    with open(EXAMPLE, encoding="utf-8") as file:
        source = file.read()
    work = f"  const end = process.hrtime.bigint() + {nanoseconds}n; while (process.hrtime.bigint() < end);\n" if nanoseconds else ""
    source, count = VERIFY.subn(lambda line: line[0] + work, source)
    assert count == 1
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source.replace("process.stdout.write(", "void ("))
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
        candidate, busy = base, None
        if what == "slower":
            base_rate = rate(program, base, folder)
            nanoseconds = round(1e9 / base_rate / 10)
            candidate = receiver(folder, "candidate.mjs", nanoseconds)
            print(f"base: {base_rate:.0f} deliveries per second; candidate: {nanoseconds} ns extra work per delivery", flush=True)
        elif what != "same":
            sys.exit(__doc__)
        results = collections.Counter()
        try:
            if what == "same":
                busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for nth in range(runs):
                command = [program, "bench", "pair", "--base", base, "--candidate", candidate, "--seed", str(nth)]
                ran = subprocess.run(command, capture_output=True, text=True, check=False)
                word = WORDS.get(ran.returncode, f"status {ran.returncode}")
                results[word] += 1
                print(f"run {nth + 1}: {word}: {ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ran.stderr.strip()}", flush=True)
        finally:
            if busy:
                busy.terminate()
                busy.wait()
        print(", ".join(f"{count} {word}" for word, count in results.most_common()))


if __name__ == "__main__":
    main()
