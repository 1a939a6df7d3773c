#!/usr/bin/env python3
"""What does one signature of 1 KiB cost, beside a plain SHA-256, ring, Node's createHmac and Python's hmac? And one of 16 KiB,
beside the first two?

  signing.py [ROUNDS]

Rounds are taken in turns; what is told is the median of each and the medians of the rounds' ratios. It needs Node, and
builds the benchmark `signing` first.

Invariant: each signs the same text under the same secret, key setup apart where the library allows it, and gives hexadecimal
digits.
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


def of_ours():
    """The figures of the benchmark, by their names (those at 16 KiB with the size), in nanoseconds."""
    command = ["cargo", "bench", "--bench", "signing", "--", "^(sign|floor|ring)/(1|16)KiB", "--measurement-time", "1", "--warm-up-time", "0.5"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    units = {"ns": 1.0, "µs": 1e3, "ms": 1e6}
    found = re.findall(r"^(\w+)/(1|16)KiB\s+time:\s+\[\S+ \S+ (\S+) (\S+) ", told, re.M)
    return {name + ("" if size == "1" else "-16"): float(value) * units[unit] for name, size, value, unit in found}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    subprocess.run(["cargo", "bench", "--bench", "signing", "--no-run"], check=True, capture_output=True)
    all_of = []
    for _ in range(rounds):
        all_of.append({**of_ours(), "node": of_node(), "python": of_python()})
        print(", ".join(f"{name} {value:.0f} ns" for name, value in all_of[-1].items()), flush=True)
    for ours, other in (("sign", "floor"), ("sign", "ring"), ("sign", "node"), ("sign", "python"), ("floor", "node"), ("floor", "python"),
                        ("sign-16", "floor-16"), ("sign-16", "ring-16")):
        ratio = statistics.median(one[ours] / one[other] for one in all_of)
        print(f"{ours} over {other}: median {ratio:.3f}")


if __name__ == "__main__":
    main()
