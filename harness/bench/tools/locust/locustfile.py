"""Signed load on a receiver of Twenty's webhooks, from any number of locust processes and machines.

Written by `twenty-conform bench export locust`. It needs only locust.

  TWENTY_WEBHOOK_SECRET=... locust -f locustfile.py --headless -u 64 -r 64 -t 30s --host http://127.0.0.1:3000/

Each delivery has its own record id, timestamp and signature, made when it is sent. A share of the deliveries (--probe-share)
must be rejected: they have a wrong signature, are altered or are stale. Every answer is judged. At the end the counts of all
workers are written to --results. Exit status:

  0  pass
  1  the receiver accepted a probe or too few valid deliveries, or a worker was lost, left early, joined late, did not report
     (in time) or is there twice
  2  the run did not start
  3  nothing was measured

The processes that send read the secret from the environment. It is never written or passed on.
"""

import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import os
import platform
import random
import re
import secrets
import socket
import sys
import time
import urllib.parse
import weakref
from importlib import metadata

import gevent
import locust.log
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from locust import FastHttpUser, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

FORMAT = "twenty-conform-locust/1"

# BEGIN EMBEDDED: filled in by the export.
EMBEDDED = {
    "version": "0",
    "dialect": "documented",
    "nonce": False,
    "url": "",
    "occurred_at": "2025-02-10T15:30:50.000Z",
    "vectors": [
        {
            "name": "documentation-sample",
            "secret": "your-secret",
            "timestamp": "1735066639761",
            "body": "{\"event\":\"person.created\",\"data\":{\"id\":\"abc12345\",\"firstName\":\"Alice\",\"lastName\":\"Doe\",\"email\":\"alice@example.com\",\"createdAt\":\"2025-02-10T15:30:45Z\",\"createdBy\":\"user_123\"},\"timestamp\":\"2025-02-10T15:30:50Z\"}",
            "signature": "faf8daf5e4618d1bf03283cb04bb191107017a357e4854156ed2836b2d9c037b",
        },
    ],
    "probes": [
        {"name": "body-altered", "requirement": "VER-1", "level": "must", "steps": ["change-value"]},
        {"name": "stale", "requirement": "VER-11", "level": "should", "steps": [{"stamp-later": -86400000}, "sign"]},
    ],
    "bodies": [
        [
            "{\"event\":\"person.created\",\"data\":{\"id\":\"",
            "\",\"firstName\":\"Łucja\",\"email\":\"lucja@example.com\",\"createdAt\":\"2025-02-10T15:30:45Z\",\"createdBy\":\"user_123\"},\"timestamp\":\"2025-02-10T15:30:50.000Z\"}",
        ],
    ],
}
# END EMBEDDED

TIMESTAMP_HEADER = "X-Twenty-Webhook-Timestamp"
SIGNATURE_HEADER = "X-Twenty-Webhook-Signature"
NONCE_HEADER = "X-Twenty-Webhook-Nonce"
KEPT = 4096  # characters shown of an exchange
LONGEST_ANSWER = 64 * 1024 * 1024
MOST_EXCHANGES = 24  # in addition to one for each kind of probe
MOST_POINTS = 3600  # of the series
LEAVING = 2.0  # seconds: a worker interrupted together with the master may report this long before the master asks


# --- Signing and probes ---------------------------------------------------------------------------------------------


def sign(key, timestamp, body):
    """64 lowercase hexadecimal digits of HMAC-SHA256 over timestamp, colon and body."""
    return hmac.new(key, timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def check_vectors():
    """Refuses to run if this file signs differently from the independent programs that made the vectors."""
    for vector in EMBEDDED["vectors"]:
        made = sign(vector["secret"].encode(), vector["timestamp"], vector["body"].encode())
        if made != vector["signature"]:
            refuse(f"the signing vector {vector['name']} gives {made}, but should give {vector['signature']}")
    if not all(EMBEDDED[part] for part in ("vectors", "probes", "bodies")):
        refuse("this file has no signing vectors, probes or bodies; export it again")


def refuse(why):
    """Ends the process before the load starts."""
    print(f"twenty-conform: {why}", file=sys.stderr, flush=True)
    sys.exit(2)


def recipe_key(form, key):
    """The HMAC key that a program derives from the secret in this way, or None if there is none or it is the same."""
    text = key.decode(errors="surrogateescape")
    other = KEYS[form](text, key)
    return other if form == "utf8" or other not in (None, key) else None


def from_hex(text):
    match = re.fullmatch("(?:0x)?((?:[0-9a-fA-F]{2})+)", text)
    return bytes.fromhex(match[1]) if match else None


def from_base64(text):
    try:
        decoded = base64.b64decode(text.encode(), validate=True)
    except ValueError:
        return None
    return decoded if decoded and base64.b64encode(decoded) == text.encode() else None


def encoded(text):
    return text.encode(errors="surrogateescape")


WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

# How programs sign: the key that they derive from the secret, the text that they sign, and the digest that they make.
KEYS = {
    "utf8": lambda text, key: key,
    "other": lambda text, key: b"another-secret-than-the-one-agreed-on",
    "empty": lambda text, key: b"",
    "hex-decoded": lambda text, key: from_hex(text),
    "base64-decoded": lambda text, key: from_base64(text),
    "trimmed": lambda text, key: encoded(text.strip(WHITE)),
    "uppercase": lambda text, key: encoded(text.upper()),
    "lowercase": lambda text, key: encoded(text.lower()),
    "trailing-newline": lambda text, key: key + b"\n",
}
MESSAGES = {
    "contract": lambda timestamp, body: timestamp + b":" + body,
    "body-alone": lambda timestamp, body: body,
    "timestamp-alone": lambda timestamp, body: timestamp,
    "separator": lambda timestamp, body, separator: timestamp + separator.encode() + body,
    "double-stringified": lambda timestamp, body, how: timestamp + b":" + stringified(body, how["ascii"]),
    "trailing-newline": lambda timestamp, body: timestamp + b":" + body + b"\n",
}
DIGESTS = {
    "hex": lambda key, message: hmac.new(key, message, hashlib.sha256).hexdigest(),
    "sha1": lambda key, message: hmac.new(key, message, hashlib.sha1).hexdigest(),
    "sha512": lambda key, message: hmac.new(key, message, hashlib.sha512).hexdigest(),
    "unkeyed": lambda key, message: hashlib.sha256(message).hexdigest(),
    "base64": lambda key, message: base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode(),
    "truncated": lambda key, message: hmac.new(key, message, hashlib.sha256).hexdigest()[:32],
    "zeros": lambda key, message: "0" * 64,
}


def stringified(body, ascii):
    return json.dumps(body.decode(), ensure_ascii=ascii).encode()


def named(word):
    """The name and the arguments of a step or of a message: a text, or an object with one member."""
    if isinstance(word, str):
        return word, ()
    [(name, value)] = word.items()
    return name, value if isinstance(value, list) else [value]


class Impossible(Exception):
    """There is nothing to try with this secret or body."""


def required(value):
    if value is None:
        raise Impossible
    return value


class Delivery:
    """A delivery before it is sent: its body and its header values, each of which may be missing. `now_ms` is when it is sent."""

    def __init__(self, key, body, now_ms):
        self.key, self.body, self.now_ms = key, body, now_ms
        self.timestamp, self.has_nonce = str(now_ms), True
        self.sign()

    def valid(self, body=None, key=None):
        body, key = self.body if body is None else body, self.key if key is None else key
        return sign(key, self.timestamp or "", body)

    def sign(self):
        self.signature = self.valid()

    def altered(self):
        """The body with another value: the year of its first date or, without one, its last letter or digit."""
        if b"2025-" in self.body:
            return self.body.replace(b"2025-", b"2024-", 1)
        found = re.search(rb"[0-9A-Za-z](?=[^0-9A-Za-z]*\Z)", self.body)
        if not found:
            return self.body + b" "
        return self.body[: found.start()] + (b"1" if found[0] == b"0" else b"0") + self.body[found.end() :]

    def changed(self, steps):
        """The same after the steps of a forgery, or None if there is nothing to try with this secret or body."""
        before = vars(self).copy()
        try:
            for step in steps:
                name, arguments = named(step)
                getattr(self, name.replace("-", "_"))(*arguments)
        except Impossible:
            return None
        return self if vars(self) != before else None

    # The steps. Each changes what the steps before it left.

    def sign_by(self, recipe):
        (message, more), valid = named(recipe["message"]), self.valid()
        key = required(recipe_key(recipe["key"], self.key))
        text = MESSAGES[message]((self.timestamp or "").encode(), self.body, *more)
        self.signature = required(other_than(valid, DIGESTS[recipe["digest"]](key, text)))

    def sign_under(self, secret):
        self.signature = required(other_than(self.valid(), self.valid(key=secret.encode())))

    def sign_other(self):
        self.signature = self.valid(self.altered())

    def change_value(self):
        self.body = self.altered()

    def add_member(self, name, value):
        end = self.body.rfind(b"}")
        self.body = (self.body if end < 0 else self.body[:end]) + f',"{name}":{value}}}'.encode()

    def cut_body(self, count):
        required(len(self.body) >= count or None)
        self.body = self.body[: len(self.body) - count]

    def halve_body(self):
        self.body = self.body[: len(self.body) // 2]

    def set_body(self, text):
        self.body = text.encode("latin-1")

    def move_colon(self):
        moved, colon, rest = self.body.partition(b":")
        required(re.fullmatch(b"[ -~]*:", moved + colon))
        self.timestamp, self.body = f"{required(self.timestamp)}:{moved.decode()}", rest

    def stamp_later(self, milliseconds):
        self.timestamp = str(max(self.now_ms + milliseconds, 0))

    def stamp_seconds(self):
        self.timestamp = str(self.now_ms // 1000)

    def stamp_date(self):
        self.timestamp = date(self.now_ms)

    def set_timestamp(self, text):
        self.timestamp = text

    def add_to_timestamp(self, more):
        self.timestamp = str(int(required(self.timestamp)) + more)

    def surround_timestamp(self, before, after):
        self.timestamp = before + required(self.timestamp) + after

    def stamp_with_exponent(self):
        self.timestamp = f"{int(required(self.timestamp)) // 1000}e3"

    def split_timestamp(self):
        self.timestamp = f"{required(self.timestamp)[:4]} {self.timestamp[4:]}"

    def remove_timestamp(self):
        self.timestamp = None

    def set_signature(self, text):
        self.signature = text

    def repeat_as_signature(self, character, count):
        self.signature = character * count

    def surround_signature(self, before, after):
        self.signature = before + required(self.signature) + after

    def keep_of_signature(self, count):
        self.signature = required(self.signature)[:count]

    def cut_signature(self, count):
        self.signature = required(self.signature)[:-count]

    def change_first_digit(self):
        self.signature = other_digit(required(self.signature)[0]) + self.signature[1:]

    def change_last_digit(self):
        self.signature = self.signature[:-1] + other_digit(required(self.signature)[-1])

    def remove_signature(self):
        self.signature = None

    def remove_nonce(self):
        self.has_nonce = False

    def headers(self, nonce):
        """The headers that make it a delivery."""
        values = [(TIMESTAMP_HEADER, self.timestamp), (SIGNATURE_HEADER, self.signature)]
        values.append((NONCE_HEADER, nonce if self.has_nonce else None))
        return {name: value for name, value in values if value is not None}


def other_digit(digit):
    return "1" if digit == "0" else "0"


def other_than(valid, value):
    return None if value == valid else value


def date(ms):
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


# Deliveries that a receiver must reject: how each is made from a valid one, and the requirement that says so.
PROBES = EMBEDDED["probes"]
WORDS = {"must": "must", "should": "should", "advice": "ideally should"}


MASK = (1 << 64) - 1


def mixed(number):
    """A 64-bit hash of a number (the finaliser of SplitMix64)."""
    bits = (number + 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


class Ids:
    """Record ids shaped like UUIDs: 36 random bits for this process, a checksum of them, and a number. The numbers let a
    receiver count lost, duplicate and reordered deliveries. Valid deliveries are numbered without gaps, probes separately."""

    FIRST_PROBE = 1 << 35

    def __init__(self, digits=None):
        digits = secrets.randbits(36) if digits is None else digits
        self.run = f"{digits << 24 | mixed(~digits & MASK) & 0xFFFFFF:015x}"
        self.numbers = [0, self.FIRST_PROBE]

    def next(self, is_probe):
        number = self.numbers[is_probe]
        self.numbers[is_probe] += 1
        run, digits = self.run, f"{number:015x}"
        return f"{run[:8]}-{run[8:12]}-4{run[12:]}-8{digits[:3]}-{digits[3:]}".encode()


# --- Options --------------------------------------------------------------------------------------------------------


def share(text):
    percent = text.endswith("%")
    value = float(text[:-1] if percent else text) / (100 if percent else 1)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def probe_share(text):
    if share(text) > 0.5:
        raise ValueError(text)
    return share(text)


def rate(text):
    value = float(text)
    if not 0.1 <= value <= 1_000_000:
        raise ValueError(text)
    return value


def seconds(text):
    match = re.fullmatch(r"([0-9.]+)(ms|s|m)?", text)
    value = float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, None: 1}[match[2]] if match else -1
    if not 0 <= value <= 86_400:
        raise ValueError(text)
    return value


@events.init_command_line_parser.add_listener
def add_options(parser):
    def option(name, help, **more):
        variable = "TWENTY_CONFORM_" + name.strip("-").upper().replace("-", "_")
        parser.add_argument(name, env_var=variable, help=help, **more)

    option("--rate", "Deliveries per second of all workers together, including probes [default: saturation]", type=rate,
           default=None)
    option("--probe-share", "Share of deliveries that must be rejected, such as 1%% or 0.01", type=probe_share, default=0.01)
    option("--fail-on", "Lowest level of probes that fail the run when accepted", choices=["must", "should"], default="must")
    option("--max-errors", "Maximum share of valid deliveries without a 2xx answer", type=share, default=0.0)
    option("--timeout", "How long to wait for an answer", type=seconds, default=5.0)
    option("--warm-up", "Time from the start of the first users until measuring starts", type=seconds, default=0.0)
    option("--results", "File for the counts of all workers", default="twenty-conform-locust.json")
    option("--allow-remote", "Allow a receiver on another machine", action="store_true", default=False)


def target_of(environment):
    return environment.host or EMBEDDED["url"]


def check_target(environment):
    """What is wrong with the URL, or None."""
    url = target_of(environment)
    if not url:
        return "no receiver is given; give the whole URL of the webhook with --host"
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        return f"--host {url!r} is not an http or https URL"
    if parts.username or parts.password:
        return "the URL contains a user name or a password, which deliveries do not carry; remove it"
    address = address_of(parts.hostname)
    if address and address.is_unspecified:
        instead = "127.0.0.1" if address.version == 4 else "[::1]"
        return f"{parts.hostname} is an address to listen on; write {instead}"
    here = address.is_loopback if address else is_localhost(parts.hostname)
    if not here and not environment.parsed_options.allow_remote:
        return f"{parts.netloc} is not this machine; to send to it anyway, add --allow-remote"
    return None


def address_of(host):
    """The address that a host is, or None for a name. An IPv4 address inside an IPv6 address is taken out."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_localhost(host):
    """Whether a name is this machine's by definition, and the resolver agrees: it is asked when the load begins."""
    name = host.lower().removesuffix(".")
    if name != "localhost" and not name.endswith(".localhost"):
        return False
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(address_of(one[4][0]).is_loopback for one in found)


# --- The counts of this process -------------------------------------------------------------------------------------


def counts():
    return {
        "sent": 0,
        "acknowledged": 0,
        "refused": 0,
        "failed": {},
        "statuses": {},
        "probes": {},
        "probe_statuses": {},
        "bytes_sent": 0,
        "bytes_received": 0,
        "latency": {"sum_us": 0, "squares_us": 0.0, "min_us": None, "max_us": 0, "buckets": {}},
        "late": {"count": 0, "sum_us": 0, "max_us": 0},
    }


def combine(one, other, name=""):
    """Adds the counts of two processes, or of two parts of a run."""
    if isinstance(one, dict):
        return {
            key: combine(one[key], other[key], key) if key in one and key in other else one.get(key, other.get(key))
            for key in {**one, **other}
        }
    if isinstance(one, list):
        return [combine(mine, theirs) for mine, theirs in zip(one, other)]
    if one is None or other is None:
        return other if one is None else one
    if name.startswith(("min_", "max_")):
        return min(one, other) if name.startswith("min_") else max(one, other)
    return one + other


def bucket(microseconds, digits):
    """The highest value with the same leading digits: the name of this value's bucket."""
    unit = 10 ** max(len(str(microseconds)) - digits, 0)
    return str(microseconds // unit * unit + unit - 1)


def raise_count(where, key, by=1):
    where[key] = where.get(key, 0) + by


class State:
    """One test in this process: its options, and its counts so far."""

    def __init__(self, environment):
        options = environment.parsed_options
        self.test = getattr(options, "twenty_test", None)
        self.url = target_of(environment)
        self.timeout = options.timeout
        self.probe_share = options.probe_share
        # Each process sends at least one probe, however short the test.
        self.needs_probe = options.probe_share > 0
        users = getattr(options, "twenty_users", 0) or 1
        self.period = users / options.rate if options.rate else None
        self.interval = getattr(options, "twenty_interval", 1)
        self.random = random.Random()
        self.ids = Ids()
        self.turn = 0
        # A short test has other kinds of probes in each process.
        self.probe_turn = self.random.randrange(len(PROBES))
        self.key = os.environb.get(b"TWENTY_WEBHOOK_SECRET", b"")
        self.bodies = self.prepare(EMBEDDED["bodies"])
        self.warm_up, self.measured = counts(), counts()
        self.in_flight = {"valid": 0, "probes": 0}
        self.witnesses = {}
        self.points = {}
        self.users = weakref.WeakSet()
        self.start = time.perf_counter()
        self.start_wall = time.time()
        self.measure_from = self.start + options.warm_up
        self.last = self.measure_from
        self.stopped_at = None
        self.closed = self.reported = False

    def prepare(self, bodies):
        """The bodies as bytes before and after the record's id. The time of the event becomes the start of the test."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        exported, now = EMBEDDED["occurred_at"].encode(), now.encode()
        return [[part.encode().replace(exported, now) for part in body] for body in bodies]

    def make(self):
        """The next delivery, and its probe or None. Probes take turns, so a test with enough of them has all kinds."""
        is_probe = self.needs_probe or self.random.random() < self.probe_share
        self.needs_probe = False
        parts = self.bodies[self.turn % len(self.bodies)]
        self.turn += 1
        # A body without an id must not use up a number, or the receiver would count it as lost.
        body = self.ids.next(is_probe).join(parts) if len(parts) == 2 else parts[0]
        make = lambda: Delivery(self.key, body, time.time_ns() // 1_000_000)
        for _ in PROBES if is_probe else ():
            probe = PROBES[self.probe_turn % len(PROBES)]
            self.probe_turn += 1
            if made := make().changed(probe["steps"]):
                return made, probe
        return make(), None

    def begin(self, at, intended, probe, late):
        """Counts a delivery that is sent. Returns the counts that it belongs to, by its planned time."""
        into = self.measured if intended >= self.measure_from else self.warm_up
        if late is not None:
            late = int(late * 1e6)
            into["late"] = combine(into["late"], {"count": 1, "sum_us": late, "max_us": late})
        if probe is None:
            into["sent"] += 1
            self.in_flight["valid"] += 1
            self.point(into, at, 0)
        else:
            into["probes"].setdefault(probe["name"], [0, 0, 0])[0] += 1
            self.in_flight["probes"] += 1
        return into

    def end(self, into, at, intended, probe, status, failure):
        """Counts a finished exchange. Returns the kind of an unexpected outcome, or None."""
        accepted = status is not None and 200 <= status < 300
        if probe is not None:
            name = probe["name"]
            self.in_flight["probes"] -= 1
            if status is not None and (failure is None or accepted):
                raise_count(into["probe_statuses"], str(status))
            into["probes"][name][1] += accepted
            into["probes"][name][2] += status is None
            return f"probe {name}" if accepted else None
        self.in_flight["valid"] -= 1
        if failure is not None:
            raise_count(into["failed"], failure)
            self.point(into, at, 3)
            if failure == "timed-out":
                # It took at least this long. Without it, a slow receiver would look fast.
                self.time(into, at - intended)
            return failure
        raise_count(into["statuses"], str(status))
        if not accepted:
            into["refused"] += 1
            self.point(into, at, 2)
            return str(status)
        into["acknowledged"] += 1
        self.time(into, at - intended)
        if into is self.measured:
            self.last = max(self.last, at)
            latency = bucket(int((at - intended) * 1e6), 2)
            raise_count(self.point(into, at, 1), latency)
        return None

    def time(self, into, seconds):
        took, latency = max(int(seconds * 1e6), 0), into["latency"]
        raise_count(latency["buckets"], bucket(took, 3))
        latency["sum_us"] += took
        latency["squares_us"] += took * took
        latency["max_us"] = max(latency["max_us"], took)
        latency["min_us"] = took if latency["min_us"] is None else min(latency["min_us"], took)

    def point(self, into, at, what):
        """Counts in the series. Returns the latencies of the point at that time."""
        if into is not self.measured:
            return {}
        number = str(min(int((at - self.measure_from) / self.interval), MOST_POINTS - 1))
        point = self.points.setdefault(number, [0, 0, 0, 0, {}])
        point[what] += 1
        return point[4]

    def keep_exchange(self, kind, begun, ended, status, request, answer):
        """Counts an unexpected exchange, and keeps the first of its kind."""
        known = self.witnesses.get(kind)
        if known:
            known["count"] += 1
        elif len(self.witnesses) < MOST_EXCHANGES + len(PROBES):
            self.witnesses[kind] = {
                "count": 1,
                "at_ms": (ended - self.start) * 1e3,
                "took_ms": (ended - begun) * 1e3,
                "status": status,
                "request": self.shown(request()),
                "answer": self.shown(answer),
            }

    def shown(self, raw):
        if len(self.key) >= 4:
            encoded = [self.key, json.dumps(self.key.decode(errors="replace"))[1:-1].encode(), self.key.hex().encode(),
                       base64.b64encode(self.key).rstrip(b"="), urllib.parse.quote_from_bytes(self.key, "").encode()]
            for one in encoded:
                raw = raw.replace(one, b"[redacted]")
        text = raw.decode(errors="replace")
        return text if len(text) <= KEPT else text[:KEPT] + "…"

    def stop(self):
        """Plans no new deliveries. Those that are due are still sent."""
        if self.stopped_at is None:
            self.stopped_at = time.perf_counter()

    def is_over(self, user):
        """Whether a user has nothing more to send."""
        return self.closed or self.stopped_at is not None and not (self.period and user.due <= self.stopped_at)

    def settle(self):
        """Waits for due deliveries and outstanding answers. Deliveries that are not sent in time count as unsent."""
        self.stop()
        deadline = time.perf_counter() + self.timeout + 1
        is_due = lambda: any(not user.done and not self.is_over(user) for user in list(self.users))
        while (any(self.in_flight.values()) or is_due()) and time.perf_counter() < deadline:
            gevent.sleep(0.02)
        self.closed = True
        for user in [user for user in self.users if self.period and not user.done]:
            while user.due + self.period <= self.stopped_at:
                user.due += self.period
                if self.random.random() >= self.probe_share:
                    into = self.measured if user.due >= self.measure_from else self.warm_up
                    raise_count(into["failed"], "unsent")
                    self.time(into, time.perf_counter() - user.due)

    def snapshot(self, final):
        now = time.perf_counter()
        until = max(self.stopped_at or now, self.last)
        whole = {
            "final": final,
            "test": self.test,
            "run": self.ids.run,
            "in_flight": dict(self.in_flight),
            "stretch_ms": max(until - self.measure_from, 0) * 1e3,
            "warm_up": self.warm_up,
            "measured": self.measured,
            "witnesses": self.witnesses,
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        }
        return {**whole, "points": self.points} if final else whole


STATE = None  # of the running test, in a process that sends


# --- The user -------------------------------------------------------------------------------------------------------


def kind_of(error):
    """The kind of a failure to get a complete answer."""
    error = getattr(error, "original", None) or error  # the client wraps errors that it could retry
    if isinstance(error, (gevent.Timeout, TimeoutError)):
        return "timed-out"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, HTTPConnectionClosed):
        return "closed"
    if isinstance(error, HTTPParseError):
        return "closed" if "connection closed" in str(error) else "malformed"
    return "unconnected" if isinstance(error, OSError) else "malformed"


class TwentyUser(FastHttpUser):
    """A connection of a sender, with at most one delivery in flight."""

    host = EMBEDDED["url"] or None
    insecure = os.environ.get("TWENTY_CONFORM_INSECURE", "").lower() in ("1", "true", "yes", "on")
    max_retries = 0
    max_redirects = 0
    due = 0.0  # the planned time of its next delivery, or of the one in flight
    waited = False
    done = False

    def __init__(self, environment):
        type(self).network_timeout = type(self).connection_timeout = STATE.timeout
        super().__init__(environment)
        agent = self.client.client
        # Every status is judged here, and a sender keeps no cookies.
        agent.valid_response_codes = range(100, 1000)
        agent.cookiejar = None
        self.state = STATE

    def on_start(self):
        self.due = time.perf_counter()
        if self.state.period:
            # Users must not send all at once.
            self.due += self.state.random.random() * self.state.period
            gevent.sleep(max(self.due - time.perf_counter(), 0))
            self.waited = True
        self.state.users.add(self)

    def on_stop(self):
        self.done = True

    def wait_time(self):
        """Constant throughput: a late delivery does not delay the following ones."""
        if not self.state.period:
            return 0
        self.due += self.state.period
        wait = self.due - time.perf_counter()
        self.waited = wait > 0
        return max(wait, 0)

    @task
    def deliver(self):
        state = self.state
        if state.is_over(self):
            raise StopUser()
        begun = time.perf_counter()
        intended = self.due if state.period else begun
        # If this user was free at the planned time, locust is the cause of the lateness, not the receiver.
        late = begun - intended if state.period and self.waited else None
        delivery, probe = state.make()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "twenty-conform"}
        headers.update(delivery.headers(secrets.token_hex(16) if EMBEDDED["nonce"] else None))
        into = state.begin(begun, intended, probe, late)
        name = "delivery" if probe is None else f"probe {probe['name']} ({probe['requirement']})"
        status, failure, answer, received, sent = None, None, b"", 0, 0
        # The sockets' timeout is for each read; this one is for the whole exchange. The client turns it into an error.
        bound = gevent.Timeout.start_new(state.timeout)
        try:
            with self.client.post("", data=delivery.body, headers=headers, name=name, catch_response=True, stream=True,
                                  allow_redirects=False) as response:
                meta = response.request_meta
                raw = meta["response"]
                if raw.status_code:
                    status = raw.status_code
                    sent = len(getattr(raw, "_sent_request", "") or "") + len(delivery.body)
                    head = f"HTTP/1.1 {status}\r\n{raw.headers}\r\n\r\n".encode("latin-1", "replace")
                    failure, body, length = self.read(raw._response)
                    answer, received = head + body, len(head) + length
                else:
                    failure, answer = kind_of(raw.error), str(raw.error).encode()
                bound.close()
                ended = time.perf_counter()
                into["bytes_sent"] += sent
                into["bytes_received"] += received
                meta["response_time"], meta["response_length"] = (ended - begun) * 1e3, received
                wrong = state.end(into, ended, intended, probe, status, failure)
                if wrong is not None:
                    request = lambda: self.request_text(headers, delivery.body)
                    state.keep_exchange(wrong, begun, ended, status, request, answer)
                    response.failure(self.words(wrong, probe, status, answer))
                elif probe is not None and status is None:
                    meta["name"] = "probe unanswered"
                    response.failure(f"no answer: {failure}")
                else:
                    response.success()
        finally:
            bound.close()
        if failure == "timed-out":
            # A late answer must not be read as the answer to the next request.
            self.client.client.clientpool.close()

    def read(self, response):
        """Reads the body of an answer. Returns why it is incomplete (or None), its beginning, and its length."""
        kept, length = b"", 0
        try:
            while piece := response.read(65536):
                length += len(piece)
                kept += bytes(piece[: max(KEPT - len(kept), 0)])
                if length > LONGEST_ANSWER:
                    response._sock and response._sock.close()
                    return "too-long", kept, length
        except (OSError, gevent.Timeout, HTTPConnectionClosed, HTTPParseError) as why:
            return kind_of(why), kept, length
        finally:
            response.release()
        return None, kept, length

    def request_text(self, headers, body):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.state.url}\r\n{lines}\r\n".encode() + body[: 2 * KEPT]

    def words(self, wrong, probe, status, answer):
        if probe is not None:
            return f"accepted ({status}), but {probe['requirement']} says it {WORDS[probe['level']]} be rejected"
        return f"rejected ({status})" if status is not None and wrong == str(status) else f"no complete answer: {wrong}"


# --- Master and workers ---------------------------------------------------------------------------------------------


class Control:
    """What the master, or a single process, knows of the processes that send."""

    def __init__(self):
        self.test = secrets.token_hex(8)  # reports of an earlier test do not count
        self.known = {}  # worker -> its last report, or that of each test that it had: more than one process has its id
        self.late = set()  # the workers that connected after the start
        self.ended = {}  # worker -> how many final reports it sent
        self.left = {}  # worker -> the time of a final report that the master did not ask for
        self.asked_at = None
        self.begun_ms = None
        self.users = 0
        self.run_time = None


CONTROL = Control()


@events.init.add_listener
def on_init(environment, runner, **_):
    # Listeners run last first, so this one runs before the runner's own, which dismisses the workers.
    environment.events.quitting.add_listener(on_quitting)
    if isinstance(runner, MasterRunner):
        environment.events.worker_connect.add_listener(on_worker_connect)
        environment.events.worker_report.add_listener(on_worker_report)
        runner.register_message("twenty-final", on_final)
    elif isinstance(runner, WorkerRunner):
        environment.events.report_to_master.add_listener(on_report_to_master)
        runner.register_message("twenty-finish", on_finish, concurrent=True)
    if not isinstance(runner, MasterRunner) and not os.environ.get("TWENTY_WEBHOOK_SECRET"):
        refuse("the secret is missing; set TWENTY_WEBHOOK_SECRET")
    if not isinstance(runner, WorkerRunner):
        wrong = check_target(environment) if environment.parsed_options.headless else None
        wrong and refuse(wrong)
        # Fail now rather than at the end, when the results would be lost.
        path = environment.parsed_options.results
        try:
            check_writable(path)
        except OSError as why:
            refuse(f"cannot write the results to {path}: {why}")


@events.test_start.add_listener
def on_test_start(environment, **_):
    global STATE, CONTROL
    runner, options = environment.runner, environment.parsed_options
    if not isinstance(runner, WorkerRunner):
        wrong = check_target(environment)
        wrong and refuse(wrong)
        CONTROL = Control()
        CONTROL.known = {id: {} for id in getattr(runner, "clients", [])}
        CONTROL.begun_ms = time.time_ns() // 1_000_000
        # `bench distributed` learns from this line that all workers are connected.
        # The results of an earlier load stay until there are new ones.
        if not os.path.exists(options.results):
            with open(options.results, "w", encoding="utf-8") as file:
                file.write("\n")
        CONTROL.users = runner.target_user_count
        CONTROL.run_time = options.run_time
        # Locust passes the master's own options on to the workers when it starts their users.
        options.twenty_test = CONTROL.test
        options.twenty_users = runner.target_user_count
        options.twenty_interval = max(1, -(-int(options.run_time or 36_000) // MOST_POINTS))
    if not isinstance(runner, MasterRunner):
        STATE = State(environment)


def on_report_to_master(client_id, data):
    if STATE:
        data["twenty_conform"] = STATE.snapshot(final=False)


def on_worker_connect(client_id, **_):
    # A worker that connects after the end has no part in the test. One that connects again is known.
    if CONTROL.asked_at is None and client_id not in CONTROL.known:
        CONTROL.known[client_id] = {}
        CONTROL.begun_ms is not None and CONTROL.late.add(client_id)


def keep_report(client_id, report):
    """Keeps the last report of a worker. What it sends after its final report has nothing new."""
    if report["test"] != CONTROL.test:
        return
    reports = CONTROL.known.setdefault(client_id, {})
    if report["final"] or not reports.get(report["run"], {}).get("final"):
        reports[report["run"]] = report


def on_worker_report(client_id, data):
    report = data.get("twenty_conform")
    report and keep_report(client_id, report)


def on_finish(environment, msg, **_):
    finish_worker(environment)


def finish_worker(environment):
    if STATE:
        STATE.settle()
        # It may be interrupted while the master asks.
        if not STATE.reported:
            STATE.reported = True
            environment.runner.send_message("twenty-final", STATE.snapshot(final=True))


def on_final(environment, msg, **_):
    if msg.data["test"] != CONTROL.test:
        return
    keep_report(msg.node_id, msg.data)
    raise_count(CONTROL.ended, msg.node_id)
    if CONTROL.asked_at is None:
        CONTROL.left[msg.node_id] = time.monotonic()


def finish(environment):
    """Ends the test: sends nothing new, waits for outstanding answers, and for the report of every worker."""
    runner = environment.runner
    if CONTROL.asked_at is not None or CONTROL.begun_ms is None:
        return
    CONTROL.asked_at = time.monotonic()
    if STATE:
        STATE.settle()
        keep_report("local", STATE.snapshot(final=True))
        return
    runner.send_message("twenty-finish")
    deadline = time.monotonic() + environment.parsed_options.timeout + 5
    alive = lambda: [one.id for one in runner.clients.all if one.state != "missing"]
    is_waited_for = lambda id: id in CONTROL.known and not has_ended(CONTROL.known[id])
    while any(is_waited_for(id) for id in alive()) and time.monotonic() < deadline:
        gevent.sleep(0.05)


def has_ended(reports):
    return bool(reports) and all(report["final"] for report in reports.values())


@events.test_stopping.add_listener
def on_test_stopping(environment, **_):
    # After this, locust ends the users at once.
    if not isinstance(environment.runner, WorkerRunner):
        finish(environment)
    elif STATE:
        STATE.stop()


def check_writable(path):
    """Fails if the file cannot be written. An existing file is not changed."""
    if os.path.exists(path):
        if not os.path.isdir(path) and not os.path.isfile(path):
            return
        with open(path, "r+", encoding="utf-8"):
            return
    unfinished = unfinished_name(path)
    with open(unfinished, "x", encoding="utf-8"):
        pass
    os.remove(unfinished)


def unfinished_name(path):
    return f"{os.path.realpath(path)}.{os.getpid()}.unfinished"


def write_results(path, results):
    """Writes the results as a whole: earlier ones stay if the disk is full."""
    text = json.dumps(results, ensure_ascii=False, indent=1) + "\n"
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    unfinished = unfinished_name(path)
    try:
        with open(unfinished, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(unfinished, os.path.realpath(path))
    except OSError:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise


def on_quitting(environment, **_):
    if isinstance(environment.runner, WorkerRunner):
        # It was not dismissed by the master, but is interrupted or ends by itself.
        if STATE and STATE.stopped_at is None:
            finish_worker(environment)
        return
    finish(environment)
    results = judge(environment)
    write_results(environment.parsed_options.results, results)
    for reason in results["reasons"]:
        print(f"twenty-conform: {reason}", file=sys.stderr)
    summary = results["all"]
    print(
        f"twenty-conform: {results['result']}: {summary['sent']} sent, {summary['acknowledged']} accepted, "
        f"{summary['refused']} rejected, {summary['failed']} without an answer, {summary['in_flight']} in flight, "
        f"{summary['probes']} probes, {summary['let_through']} of them accepted",
        file=sys.stderr,
        flush=True,
    )
    environment.process_exit_code = results["exit_status"]


STATES = {
    "silent": "never reported",
    "lost": "was lost, and its deliveries since its last report are not counted",
    "overdue": "did not report in time, and its deliveries since its last report are not counted",
    "left": "left early",
    "late": "joined after the start",
    "doubled": "is there twice: it reported twice, or more than one process has its id",
}


def state_of(id, runner, seen):
    """How a worker ended; `seen` are the tests that other workers reported."""
    reports, left = CONTROL.known[id], CONTROL.left.get(id)
    if not reports:
        # Locust gives a late worker no users as long as the others have them all.
        return "late" if id in CONTROL.late else "silent"
    if len(reports) > 1 or CONTROL.ended.get(id, 0) > 1 or seen.intersection(reports):
        return "doubled"
    if not has_ended(reports):
        client = getattr(runner, "clients", {}).get(id)
        return "overdue" if client and client.state != "missing" else "lost"
    if left is not None and (CONTROL.asked_at or left) - left > LEAVING:
        return "left"
    return "late" if id in CONTROL.late else "reported"


def short(id):
    """The part of a worker's id that differs between the workers of one machine, as in locust's log."""
    return id.rpartition("_")[2][:8]


def judge(environment):
    """The results: all counts, and the verdict."""
    options = environment.parsed_options
    whole = {"warm_up": counts(), "measured": counts()}
    in_flight, points, witnesses, workers, reasons = {"valid": 0, "probes": 0}, {}, {}, [], []
    stretch = 0.0
    seen = set()
    for number, (id, reports) in enumerate(sorted(CONTROL.known.items())):
        state = state_of(id, environment.runner, seen)
        if state != "reported":
            reasons.append(f"worker {number + 1} of {len(CONTROL.known)} ({short(id)}) {STATES[state]}")
        entry = {"number": number + 1, "id": short(id), "state": state, "sent": 0, "acknowledged": 0, "in_flight": 0, "cores": 0}
        # The same test under another id is counted once.
        for report in [reports[run] for run in reports if run not in seen]:
            for part in whole:
                whole[part] = combine(whole[part], report[part])
                entry["sent"] += report[part]["sent"]
                entry["acknowledged"] += report[part]["acknowledged"]
            entry["in_flight"] += report["in_flight"]["valid"]
            entry["cores"] = report["cores"]
            in_flight = combine(in_flight, report["in_flight"])
            points = combine(points, report.get("points", {}))
            stretch = max(stretch, report["stretch_ms"])
            for kind, exchange in report["witnesses"].items():
                known = witnesses.setdefault(kind, {**exchange, "count": 0})
                known["count"] += exchange["count"]
        seen.update(reports)
        workers.append(entry)
    everything = combine(whole["warm_up"], whole["measured"])
    levels = {probe["name"]: probe["level"] for probe in PROBES}
    gating = ["must", "should"] if options.fail_on == "should" else ["must"]
    for name, (sent, accepted, _) in sorted(everything["probes"].items()):
        if accepted and levels[name] in gating:
            reasons.append(f"accepted {accepted} of {sent} {name} probes, which {WORDS[levels[name]]} be rejected")
    failed = sum(everything["failed"].values())
    measured = whole["measured"]
    errors = measured["refused"] + sum(measured["failed"].values())
    ended = measured["acknowledged"] + errors
    if ended and errors / ended > options.max_errors:
        reasons.append(f"did not accept {errors} of {ended} valid deliveries; --max-errors allows {options.max_errors:.4%}")
    if getattr(environment.runner, "exceptions", None) or locust.log.unhandled_greenlet_exception:
        reasons.append("locust caught an exception outside of deliveries; see its log")
    result, status = ("fail", 1) if reasons else ("pass", 0)
    probed, unanswered = (sum(counted[at] for counted in everything["probes"].values()) for at in (0, 2))
    if probed and unanswered == probed:
        # A missing answer is not a rejection.
        reasons.append(f"none of the {probed} probes got an answer, which does not count as a rejection")
        result, status = (result, status) if status else ("incomplete", 3)
    if CONTROL.begun_ms is None:
        result, status, reasons = "incomplete", 3, ["the load did not start"]
    elif not reasons and not measured["acknowledged"]:
        result, status = "incomplete", 3
        reasons.append("no valid delivery was accepted while measuring")
    probes = everything["probes"].values()
    return {
        "format": FORMAT,
        "result": result,
        "exit_status": status,
        "reasons": reasons,
        "tool": EMBEDDED["version"],
        "locust": metadata.version("locust"),
        "python": platform.python_version(),
        "machine": {"os": platform.system().lower(), "arch": platform.machine()},
        "url": target_of(environment),
        "dialect": EMBEDDED["dialect"],
        "begun_ms": CONTROL.begun_ms or time.time_ns() // 1_000_000,
        "ended_ms": time.time_ns() // 1_000_000,
        "load": {
            "rate": options.rate,
            "users": CONTROL.users,
            "run_time_ms": int(CONTROL.run_time * 1000) if CONTROL.run_time else None,
            "warm_up_ms": int(options.warm_up * 1000),
            "timeout_ms": int(options.timeout * 1000),
            "probe_share": options.probe_share,
            "max_errors": options.max_errors,
            "fail_on": options.fail_on,
        },
        "corpus": {
            "bodies": len(EMBEDDED["bodies"]),
            "lengths": [sum(len(part.encode()) for part in body) + 36 * (len(body) - 1) for body in EMBEDDED["bodies"]],
            "without_id": sum(len(body) == 1 for body in EMBEDDED["bodies"]),
        },
        "workers": workers,
        "all": {
            "sent": everything["sent"],
            "acknowledged": everything["acknowledged"],
            "refused": everything["refused"],
            "failed": failed,
            "unsent": everything["failed"].get("unsent", 0),
            "in_flight": in_flight["valid"],
            "probes": sum(one[0] for one in probes),
            "let_through": sum(one[1] for one in probes),
            "probes_in_flight": in_flight["probes"],
        },
        "stretch_ms": stretch,
        "measured": measured,
        "unexpected": {"failed": everything["failed"], "statuses": everything["statuses"]},
        "probes": [
            {"name": probe["name"], "requirement": probe["requirement"], "level": probe["level"],
             **dict(zip(("sent", "let_through", "unanswered"), everything["probes"].get(probe["name"], [0, 0, 0])))}
            for probe in PROBES
        ],
        "probe_statuses": everything["probe_statuses"],
        "series": {
            "interval_ms": 1000 * getattr(options, "twenty_interval", 1),
            "points": [points.get(str(number), [0, 0, 0, 0, {}]) for number in range(max(map(int, points), default=-1) + 1)],
        },
        "witnesses": witnesses,
    }


check_vectors()
