"""Signatures: HMAC-SHA256 over everything that a request would do, and over what the desk sends out.

    Desk-Signature: t=1772443800,v1=5f2c…

`t` is unix time in seconds, `v1` the hexadecimal HMAC over six lines: `desk.v1`, t, METHOD, the path with its query as
sent, the Idempotency-Key (an empty line without one), and the hexadecimal SHA-256 of the body. A request may be five
minutes old, or five minutes early, and no more: a signature from the future would stay fresh for long.
Outgoing events are signed over `t`, a full stop and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from core.errors import DeskError

HEADER = "Desk-Signature"
TOLERANCE = timedelta(minutes=5)
_FORM = re.compile(r"t=(?P<t>[0-9]{1,11}),v1=(?P<v1>[0-9a-f]{64})")


class SignatureMissing(DeskError):
    """This request is not signed. Send {header}: a time and a signature, as in t=…,v1=… and nothing more."""


class SignatureStale(DeskError):
    """This request was signed more than {minutes} minutes from now. Check the clock and sign it again."""


class SignatureWrong(DeskError):
    """The signature does not fit this request and this key."""


def sign_request(
    secret: str, *, at: int, method: str, target: str, idempotency_key: str, body_sha256: str
) -> str:
    """The header for a request; `target` is the path with its query, as it goes over the wire."""
    lines = ("desk.v1", str(at), method.upper(), target, idempotency_key, body_sha256)
    return f"t={at},v1={_mac(secret, chr(10).join(lines).encode())}"


def sign_event(*secrets: str, at: int, body: bytes) -> str:
    """The header of an event that the desk sends out; while a secret is replaced, with a signature by each of both."""
    macs = (_mac(each, str(at).encode() + b"." + body) for each in secrets)
    return ",".join([f"t={at}", *(f"v1={each}" for each in macs)])


def signed_at(header: str, *, now: datetime) -> int:
    """When the request says it was signed. Raises `SignatureMissing`, `SignatureStale`."""
    form = _FORM.fullmatch(header)
    if form is None:
        raise SignatureMissing(header=HEADER)
    at = int(form["t"])
    if abs(now.timestamp() - at) > TOLERANCE.total_seconds():
        raise SignatureStale(minutes=int(TOLERANCE.total_seconds() // 60))
    return at


def require_same(given: str, expected: str) -> None:
    """Compared in constant time. Raises `SignatureWrong`."""
    if not hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode()):
        raise SignatureWrong()


def _mac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
