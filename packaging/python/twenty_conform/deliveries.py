"""Deliveries of Twenty's webhooks for unit tests without a server: valid ones, and ones that a receiver must reject.

    request = signed_request("person.created", "s3cr3t")
    assert verify(request.headers, request.body)
    request = broken("accepts.stale", "person.created", "s3cr3t")
    assert not verify(request.headers, request.body)
"""

import base64
import collections
import datetime
import json
import subprocess
import time

from .program import environment, error_in, find_program

__all__ = ["SignedRequest", "broken", "signed_request"]

# Signing takes milliseconds. A program that hangs must not hang the tests.
_SECONDS = 60
# The year 5138. Milliseconds of any year after 1973 are greater.
_LATEST = 100_000_000_000


class SignedRequest(collections.namedtuple("SignedRequest", ["headers", "header_list", "body"])):
    """The headers and the body of a POST.

    `headers` is a dict, in which the values of a header that is sent twice are joined by ", "; `header_list` has the pairs in the order
    of the wire. A value has one character for each byte (Latin-1). `body` is bytes.
    """

    __slots__ = ()


def signed_request(event, secret, now=None, dialect="documented"):
    """A valid delivery, signed with this secret. It runs the program once, which takes about 10 ms.

    `event` is the name of an event whose sample is sent, such as "person.created"; a payload as a dict, which is sent as compact JSON; or
    the body itself, as bytes or as a str that begins with "{". `now` is the time of sending, a datetime or seconds since the epoch; None is
    the present. `dialect` is "documented", or "shipped" for the payloads and headers that Twenty's server sends. The same arguments give
    the same bytes. Raises ValueError, whose text is one line, if there is no such delivery.
    """
    __tracebackhide__ = True
    return _delivery([], event, secret, now, dialect)


def broken(cause, event, secret, now=None, dialect="documented"):
    """A delivery that a receiver must reject: it is wrong in the way of a cause, such as "accepts.stale".

    The other arguments are those of `signed_request`. The cause "accepts.replayed" shows only after a valid delivery with the same
    arguments, `now` included. It runs the program once, which takes about 10 ms. Raises ValueError for a cause
    that is unknown, that only valid deliveries show, or that needs another secret or body, and as `signed_request` does.
    """
    __tracebackhide__ = True
    return _delivery([f"--broken={cause}"], event, secret, now, dialect)


def _delivery(options, event, secret, now, dialect):
    # Pytest shows an error at the test's own line.
    __tracebackhide__ = True
    command = [find_program(), "sign", "--json", "--config=none", f"--dialect={dialect}", *options]
    # By this process's clock, which a test may have set.
    seconds = time.time() if now is None else now.timestamp() if isinstance(now, datetime.datetime) else now
    if seconds is now and seconds > _LATEST:
        raise ValueError(f"now is in seconds since the epoch, and {seconds} is far in the future; divide milliseconds by 1000")
    command.append(f"--timestamp={round(seconds * 1000)}")
    body = _body(event)
    if body is None:
        command.append(f"--event={event}")
    ran = subprocess.run(command, input=body or b"", env=environment(secret), capture_output=True, timeout=_SECONDS, check=False)
    if ran.returncode != 0:
        raise ValueError(error_in(ran.stderr.decode("utf-8", "replace")) or f"twenty-conform ended with status {ran.returncode}")
    made = json.loads(ran.stdout)
    pairs = [(name, value) for name, value in made["headers"]]
    text = made["body"].get("text")
    sent = base64.b64decode(made["body"]["base64"]) if text is None else text.encode()
    return SignedRequest(_joined(pairs), pairs, sent)


def _body(event):
    """The body, or None for an event whose sample is sent."""
    if isinstance(event, dict):
        return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if isinstance(event, (bytes, bytearray, memoryview)):
        return bytes(event)
    if not isinstance(event, str):
        raise TypeError(f"an event is a name, a dict, bytes or a str with JSON, not {type(event).__name__}")
    return event.encode() if event.lstrip().startswith("{") else None


def _joined(pairs):
    names, joined = {}, {}
    for name, value in pairs:
        # The same name in another case is the same header.
        first = names.setdefault(name.lower(), name)
        joined[first] = f"{joined[first]}, {value}" if first in joined else value
    return joined
