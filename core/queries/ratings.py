"""Parties' latest final ratings, as calculated at the time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.records import FinalRating


def of_parties(
    session: Session, party_ids: Collection[int], *, until: datetime | None = None
) -> Mapping[int, str]:
    """`4.6 of 5, 3 reviews` for each party that has a rating; reviews that are not opened yet count for nothing."""
    then = until or datetime.max.replace(tzinfo=UTC)
    rows = session.scalars(
        select(FinalRating)
        .where(FinalRating.party_id.in_(party_ids), FinalRating.calculated_at <= then)
        .order_by(FinalRating.party_id, FinalRating.calculated_at.desc(), FinalRating.project_id.desc())
        .ext(distinct_on(FinalRating.party_id))
    )
    return {each.party_id: _words(each) for each in rows}


def _words(each: FinalRating) -> str:
    whole, tenth = divmod(each.tenths, 10)
    return f"{whole}.{tenth} of 5, {each.reviews} review{'' if each.reviews == 1 else 's'}"
