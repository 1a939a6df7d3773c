#!/usr/bin/env python3
"""Counts how often `bench receiver` is right about the example receivers under full load.

  receivers.py PROGRAM [RUNS] [BUSY]

PROGRAM is a release build of twenty-conform, RUNS the runs of 5 s on each receiver (10), BUSY the number of processes that keep the
processors busy meanwhile (0). No run on a conforming example may fail, and each run on a receiver that begins to accept some
deliveries without verifying them, once it is busy, must fail. Run it in the project's folder, with the examples set up.

All traffic stays on 127.0.0.1, and every process is stopped at the end.
"""

import collections
import os
import re
import subprocess
import sys
import tempfile
import tomllib

from example import busy, with_code

EXAMPLES = "fixtures/implementations/receivers"
ADVICE = {"VER-19"}
# No more than 49 of 50 deliveries are verified after the first 5,000.
TIRED = "  globalThis.checked = (globalThis.checked ?? 0) + 1;\n  if (checked > 5000 && checked % 50 === 0) return true;\n"


def conforming():
    """The name, command and path of each example that conforms."""
    for name in sorted(os.listdir(EXAMPLES)):
        with open(os.path.join(EXAMPLES, name, "manifest.toml"), "rb") as file:
            manifest = tomllib.load(file)
        if set(manifest["fails"]) <= ADVICE:
            yield name, manifest["command"], manifest.get("path", "/")


def main():
    program = os.path.abspath(sys.argv[1])
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    hogs = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, busy(hogs):
        cases = [(*one, 0) for one in conforming()] + [("stops verifying", with_code(folder, "tired.mjs", TIRED), "/", 1)]
        for name, command, path, expected in cases:
            results, rates = collections.Counter(), []
            for _ in range(runs):
                ran = subprocess.run(
                    [program, "bench", "receiver", "--exec", command, "--path", path, "--duration", "5s", "--quiet"],
                    capture_output=True, text=True, check=False)
                results[ran.returncode] += 1
                line = ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ran.stderr.strip()
                rates += [float(rate) for rate in re.findall(r" rate ([0-9.]+)", line)]
                if ran.returncode != expected:
                    wrong += 1
                    print(f"  {name}: status {ran.returncode}: {line}", flush=True)
            rate = f", {min(rates):.0f} to {max(rates):.0f} a second" if rates else ""
            print(f"{name}: {results[expected]} of {runs} with status {expected}{rate}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
