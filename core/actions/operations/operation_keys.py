"""Keys of what the desk asks of Stripe: unique for ever, readable, and the same whenever they are computed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.records import Installation


class NoInstallationMark(DeskError):
    """This database has no installation mark yet: run `escrow-desk migrate` first."""


def operation_key(session: Session, *parts: str | int) -> str:
    """`ed-3fa9c1.refund.17.1`: the installation's name keeps two databases apart at one provider."""
    return ".".join((_installation(session), *map(str, parts)))


def idempotency_key(key: str, attempt: int) -> str:
    """The key that Stripe sees: the same for every retry, another only after a definitive refusal
    (docs/decisions/0004)."""
    return f"{key}:{attempt}"


def _installation(session: Session) -> str:
    name: str | None = session.info.get("installation")
    if name is None:
        name = session.scalars(select(Installation.name)).one_or_none()
        if name is None:
            raise NoInstallationMark()
        session.info["installation"] = name
    return name
