"""Keys of what the desk asks of Stripe: unique for ever, readable, and the same whenever they are computed."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
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


_NAME = select(Installation.name).execution_options(autoflush=False)
_names: WeakKeyDictionary[Engine, str] = WeakKeyDictionary()


def _installation(session: Session) -> str:
    """Given once for ever, so it is read once from each database."""
    engine = session.get_bind().engine
    if engine not in _names:
        name = session.scalars(_NAME).one_or_none()
        if name is None:
            raise NoInstallationMark()
        _names[engine] = name
    return _names[engine]
