"""Reading what somebody sends: the raw body, no further than is allowed, whatever its header promises."""

from __future__ import annotations

from starlette.requests import Request

from core.errors import DeskError


class BodyTooLarge(DeskError):
    """The body is larger than {limit} bytes."""


async def read_body(request: Request, *, limit: int) -> bytes:
    """Raises `BodyTooLarge`, and Starlette's `ClientDisconnect` when its sender left before it was whole."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise BodyTooLarge(limit=limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(limit=limit)
    return bytes(body)
