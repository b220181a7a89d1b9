"""Files that leave over the API: always as a file to keep, never as something that a browser shows."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import Response


def attachment(name: str, content: bytes, *, media_type: str) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=media_type, headers=headers)


def file_of(media_type: str, words: str) -> dict[int | str, dict[str, Any]]:
    """How such an answer is described."""
    shape = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": words, "content": {media_type: shape}}}
