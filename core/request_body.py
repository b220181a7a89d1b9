"""Reading what somebody sends: the raw body, no further than is allowed, whatever its header promises."""

from __future__ import annotations

from starlette.requests import Request

from core.errors import DeskError

PASSED_OVER = 256 * 1024 * 1024


class BodyTooLarge(DeskError):
    """The body is larger than {limit} bytes."""


async def read_body(request: Request, *, limit: int) -> bytes:
    """What is too much is passed over first: whoever is refused while they still send loses the refusal with the
    connection. Raises `BodyTooLarge`, and Starlette's `ClientDisconnect` when its sender left before it was whole."""
    most = limit + PASSED_OVER
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > most:
        raise BodyTooLarge(limit=limit)
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            body += chunk
        elif size > most:
            break
    if size > limit:
        raise BodyTooLarge(limit=limit)
    return bytes(body)
