"""Finds changes of level in series, independently of `bench trend`, whose tests compare both.

    python3 benches/compare/change_points.py < series.jsonl

Each line of the input is a JSON array of numbers. Each line of the output is the array of its changes: the index of the first value
after the change, and the p-value. Only the rules are shared with the program: windows of 60 values that overlap by half, at least 4
values on each side, and Student's t-test with p at most 0.001. The t-distribution is integrated numerically here.
"""

import json
import math
import sys

FEWEST, WINDOW, SIGNIFICANCE, STEPS = 4, 60, 0.001, 4000


def statistic(one, other):
    means = [sum(values) / len(values) for values in (one, other)]
    if means[0] == means[1]:
        return 0.0
    squares = sum((value - mean) ** 2 for values, mean in zip((one, other), means) for value in values)
    error = math.sqrt(squares / (len(one) + len(other) - 2) * (1 / len(one) + 1 / len(other)))
    return abs(means[0] - means[1]) / error if error else math.inf


def p_value(one, other):
    t, freedom = statistic(one, other), len(one) + len(other) - 2
    if math.isinf(t):
        return 0.0
    # With x = sqrt(freedom) * tan(angle), the density becomes a power of the cosine: Simpson's rule from 0 to t.
    end = math.atan(t / math.sqrt(freedom))
    step = end / STEPS
    weights = (1 if at in (0, STEPS) else 4 if at % 2 else 2 for at in range(STEPS + 1))
    area = sum(weight * math.cos(at * step) ** (freedom - 1) for at, weight in enumerate(weights)) * step / 3
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    return max(1 - 2 * constant * area, 0.0)


def splits(values, begin, end):
    best, place = -1.0, None
    for at in range(begin + FEWEST, end - FEWEST + 1):
        t = statistic(values[begin:at], values[at:end])
        if t > best:
            best, place = t, at
    if place is None or p_value(values[begin:place], values[place:end]) > SIGNIFICANCE:
        return set()
    return {place} | splits(values, begin, place) | splits(values, place, end)


def changes(values):
    last = max(len(values) - WINDOW, 0)
    found = set()
    for begin in [*range(0, last, WINDOW // 2), last]:
        found |= splits(values, begin, min(begin + WINDOW, len(values)))
    while True:
        edges = [0, *sorted(found), len(values)]
        tested = []
        for start, at, stop in zip(edges, edges[1:], edges[2:]):
            enough = min(at - start, stop - at) >= FEWEST
            tested.append((at, p_value(values[start:at], values[at:stop]) if enough else 1.0))
        chance = [(p, at) for at, p in tested if p > SIGNIFICANCE]
        if not chance:
            return tested
        found.remove(max(chance)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(changes(json.loads(line))))
