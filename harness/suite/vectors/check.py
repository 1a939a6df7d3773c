"""Checks a verification of Twenty's webhooks against vectors.json: python3 check.py

Replace `verify` with a call of your own code. It returns whether a delivery is accepted.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import sys

FRESH_MS = 5 * 60 * 1000


def signature_of(secret, timestamp, body):
    return hmac.new(secret.encode(), timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def verify(secret, headers, body, now_ms):
    # Of a header that is there twice, it is unknown which one counts, so the values together are no signature.
    timestamp = headers.get("x-twenty-webhook-timestamp", "")
    signature = headers.get("x-twenty-webhook-signature", "")
    if not re.fullmatch("[0-9]{1,15}", timestamp) or not re.fullmatch("[0-9a-fA-F]{64}", signature):
        return False
    if not hmac.compare_digest(signature_of(secret, timestamp, body), signature.lower()):
        return False
    if abs(now_ms - int(timestamp)) > FRESH_MS:
        return False
    try:
        event = json.loads(body.decode("utf-8"))
    except ValueError:
        return False
    if not isinstance(event, dict):
        return False
    # Events of metadata have neither.
    if not all(isinstance(event.get(name, {}), dict) for name in ("record", "data")):
        return False
    return isinstance(event.get("eventName", event.get("event")), str)


def to_bytes(value):
    if "text" in value:
        return value["text"].encode()
    if "base64" in value:
        return base64.b64decode(value["base64"])
    made = value["generated"]
    return (made["before"] + made["repeat"] * made["times"] + made["after"]).encode()


def main():
    file = pathlib.Path(__file__).with_name("vectors.json")
    vectors = json.loads(file.read_text(encoding="utf-8"))["vectors"]
    wrong = []
    for vector in vectors:
        headers = {}
        for name, value in vector["headers"]:
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        body = to_bytes(vector["body"])
        if "signature" in vector:
            timestamp = headers["x-twenty-webhook-timestamp"]
            is_right = signature_of(vector["secret"], timestamp, body) == vector["signature"]
            is_shown = timestamp.encode() + b":" + body == to_bytes(vector["signed"])
            if not (is_right and is_shown):
                wrong.append(f"{vector['id']}: the signature is another one")
        if "accept" in vector and verify(vector["secret"], headers, body, vector["now_ms"]) != vector["accept"]:
            must = "accepted" if vector["accept"] else "rejected"
            wrong.append(f"{vector['id']}: must be {must} ({vector['requirement']}): {vector['notes']}")
    print("".join(f"{line}\n" for line in wrong), end="")
    print(f"{len(vectors) - len(wrong)} of {len(vectors)} vectors are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
