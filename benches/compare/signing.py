#!/usr/bin/env python3
"""Compares the cost of a signature of 1 KiB with a plain SHA-256, ring, Node's createHmac and Python's hmac, and of 16 KiB with
the first two.

  signing.py [ROUNDS]

Each round measures all of them. The script prints the figures of each round, and the median of each ratio. It needs Node, and
builds the benchmark `signing` first.

All sign the same text with the same secret, and write hexadecimal digits. Key setup is excluded if the library allows it.
"""

import hashlib
import hmac
import json
import re
import statistics
import subprocess
import sys
import time

SECRET = "Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d6E7f8091a2B3c4D5e6F708192a3B4c5D"
TIMESTAMP = b"1735066639761:"
BODY = b"x" * 1024
TIMES = 200_000
NODE = """
const { createHmac } = require('node:crypto');
const body = Buffer.alloc(1024, 'x');
const sign = () => createHmac('sha256', %s).update('1735066639761:').update(body).digest('hex');
for (let i = 0; i < 20000; i += 1) sign();
const begin = process.hrtime.bigint();
for (let i = 0; i < %d; i += 1) sign();
console.log(Number(process.hrtime.bigint() - begin) / %d);
"""


def of_node():
    script = NODE % (json.dumps(SECRET), TIMES, TIMES)
    return float(subprocess.run(["node", "-e", script], check=True, capture_output=True, text=True).stdout)


def of_python():
    key = hmac.new(SECRET.encode(), digestmod=hashlib.sha256)
    begin = time.perf_counter_ns()
    for _ in range(TIMES):
        one = key.copy()
        one.update(TIMESTAMP)
        one.update(BODY)
        one.hexdigest()
    return (time.perf_counter_ns() - begin) / TIMES


def of_benchmark():
    """The figures of the benchmark in nanoseconds, by name; those of 16 KiB end in `-16`."""
    command = ["cargo", "bench", "--bench", "signing", "--", "^(sign|floor|ring)/(1|16)KiB", "--measurement-time", "1", "--warm-up-time", "0.5"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    units = {"ns": 1.0, "µs": 1e3, "ms": 1e6}
    found = re.findall(r"^(\w+)/(1|16)KiB\s+time:\s+\[\S+ \S+ (\S+) (\S+) ", output, re.M)
    return {name + ("" if size == "1" else "-16"): float(value) * units[unit] for name, size, value, unit in found}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    subprocess.run(["cargo", "bench", "--bench", "signing", "--no-run"], check=True, capture_output=True)
    figures = []
    for _ in range(rounds):
        figures.append({**of_benchmark(), "node": of_node(), "python": of_python()})
        print(", ".join(f"{name} {value:.0f} ns" for name, value in figures[-1].items()), flush=True)
    for one, other in (("sign", "floor"), ("sign", "ring"), ("sign", "node"), ("sign", "python"), ("floor", "node"), ("floor", "python"),
                       ("sign-16", "floor-16"), ("sign-16", "ring-16")):
        ratio = statistics.median(in_round[one] / in_round[other] for in_round in figures)
        print(f"{one} / {other}: median {ratio:.3f}")


if __name__ == "__main__":
    main()
