"""Signatures: of a request that goes to the desk, and of an event that comes from it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from typing import Any, TypedDict

HEADER = "Desk-Signature"
TOLERANCE = 300  # seconds
_TIME = re.compile(r"t=([0-9]{1,11})")
_MAC = re.compile(r"v1=([0-9a-f]{64})")


class Unverified(Exception):
    """This is no event of the desk's: its signature is missing, wrong, or too old."""


class Event(TypedDict):
    """What the desk tells. `sequence` counts the events of an endpoint from 1 without a gap."""

    id: str
    kind: str
    sequence: int
    created_at: str
    data: dict[str, Any]


def sign(
    secret: str,
    *,
    method: str,
    target: str,
    body: bytes = b"",
    idempotency_key: str = "",
    at: int | None = None,
) -> str:
    """The header Desk-Signature of a request. `target`: the path with its query, exactly as it is sent."""
    moment = int(time.time()) if at is None else at
    parts = (
        "desk.v1",
        str(moment),
        method.upper(),
        target,
        idempotency_key,
        hashlib.sha256(body).hexdigest(),
    )
    return f"t={moment},v1={_mac(secret, chr(10).join(parts).encode())}"


def verified(body: bytes, header: str, secret: str, *, now: float | None = None) -> Event:
    """The event in the bytes of a request's body, as they came. While a secret is rotated, any of the signatures in the
    header may be the right one. Raises `Unverified`."""
    told = _TIME.match(header)
    if told is None or abs((time.time() if now is None else now) - int(told[1])) > TOLERANCE:
        raise Unverified("The signature is missing, or older than five minutes.")
    expected = _mac(secret, told[1].encode() + b"." + body)
    if not any(hmac.compare_digest(expected, given) for given in _MAC.findall(header)):
        raise Unverified("The signature does not fit this body and this secret.")
    event: Event = json.loads(body)
    return event


def _mac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
