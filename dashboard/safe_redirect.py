"""Where someone may be sent after signing in: to a path of this desk, and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2_000


def local_path(wanted: str | None) -> str:
    """The path itself when it is one of ours; `/` for anything that a browser could take for another site's address."""
    if not wanted or len(wanted) > LONGEST or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    if any(ord(letter) < 0x21 or ord(letter) == 0x7F or letter == "\\" for letter in wanted):
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    if (
        parts.scheme
        or parts.netloc
        or parts.path.startswith(("/sign-in", "/sign-out", "/_stcore", "/webhooks"))
    ):
        return "/"
    return wanted
