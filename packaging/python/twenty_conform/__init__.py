"""The program twenty-conform, as it is installed with this package, and deliveries of Twenty's webhooks for unit tests."""

from .deliveries import SignedRequest, broken, signed_request
from .program import find_program

__all__ = ["SignedRequest", "broken", "find_program", "signed_request"]
