"""Amounts, times and names as an answer has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import overload

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.api.models.responses.milestones import WaitsFor
from core.api.models.responses.plain import MoneyAnswer
from core.records import Party
from core.rules.refusal_reasons import Block

SECRETS = "may read secrets"  # of a session: whether what is read in it is answered to a key that may write


def money(minor: int, currency: str) -> MoneyAnswer:
    return {"minor": minor, "currency": currency}


@overload
def moment(at: date) -> str: ...
@overload
def moment(at: None) -> None: ...
@overload
def moment(at: date | None) -> str | None: ...
def moment(at: date | None) -> str | None:
    """A day, or an instant in UTC, as ISO 8601."""
    return at.isoformat() if at is not None else None


def told(block: Block) -> WaitsFor:
    return {"code": block.code, "sentence": block.sentence}


def names(session: Session, party_ids: Iterable[int | None]) -> Mapping[int, str]:
    """The platform's own ids of these parties, in one statement."""
    wanted = {each for each in party_ids if each is not None}
    if not wanted:
        return {}
    return {
        row.id: row.external_id
        for row in session.execute(select(Party.id, Party.external_id).where(Party.id.in_(wanted)))
    }


def secret(session: Session, value: str | None) -> str | None:
    """What only a key that may write reads; None for whoever only reads, and wherever nobody said who reads."""
    return value if session.info.get(SECRETS) else None


def known_as(session: Session, party_id: int) -> str:
    """The platform's own id of a party."""
    return session.get_one(Party, party_id).external_id
