"""Makes probes with a locustfile, without locust: python3 probes.py LOCUSTFILE < cases > made.

Each line of stdin is a case: a secret, a body and a time. Each line of stdout is what the probes are then, in their order: the
headers and the body, or null if there is nothing to try.
"""

import json
import sys

import stubs

locustfile = stubs.load(sys.argv[1])


def made(case, steps):
    delivery = locustfile.Delivery(case["secret"].encode(), case["body"].encode(), case["now_ms"])
    if steps and delivery.changed(steps) is None:
        return None
    return {"headers": delivery.headers(case["nonce"]), "body": delivery.body.decode("latin-1")}


for line in sys.stdin:
    case = json.loads(line)
    probes = [made(case, probe["steps"]) for probe in locustfile.PROBES]
    print(json.dumps({"valid": made(case, []), "probes": probes}))
