"""Fees broken down are the plain sums of their journals, whatever was booked late, taken back or rolled up."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import Database
from core.ledger import invariants, journal_store
from core.ledger.journals import Journal, Posting
from core.money import Money
from core.queries import fee_breakdown, fees
from core.queries.fee_breakdown import FeeBy, FeeRow
from tests import builders
from tests.builders import NOW, Town

TURNS = itertools.count(1)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
PLAIN = {
    FeeBy.PLATFORM: "p.platform",
    FeeBy.PROJECT: "p.id::text",
    FeeBy.PAYER: "p.payer_id::text",
    FeeBy.PAYEE: "p.payee_id::text",
}


class Step(NamedTuple):
    """A fee of one of the milestones (or of none), on a day; a minus takes it back."""

    milestone: int
    line: str
    day: int
    minor: int
    rolled: bool


STEPS = st.lists(
    st.builds(
        Step,
        milestone=st.integers(0, 3),
        line=st.sampled_from(fees.LINES),
        day=st.integers(-12, 0),
        minor=st.integers(-9, 9).filter(bool),
        rolled=st.booleans(),
    ),
    max_size=14,
)


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def several(session: Session) -> None:
    """Three milestones of two projects, which have a payer in common and not a payee."""
    session.execute(text("set local session_replication_role = replica"))
    for statement in (
        "insert into parties (id, platform, external_id, role, name, email, city, country, withdrawal_method, "
        "auto_withdraw, created_at) overriding system value select n, 'home_services', 'p' || n, case when n > 1001 "
        "then 'PAYEE' else 'PAYER' end, 'Name ' || n, n || '@example.com', '', 'DE', 'standard', true, now() "
        "from generate_series(1001, 1003) n",
        "insert into projects (id, platform, bid_reference, title, scope, project_type, size, fee_mode, payer_id, "
        "payee_id, currency, total_minor, status, policy_version_id, created_at) overriding system value select n, "
        "case n when 99 then 'home_services' else 'legal_services' end, 'b' || n, 'Title ' || n, '', 'KITCHEN', "
        "'SMALL', 'STAGED', 1001, 1003 - n % 2, 'USD', 1, 'ACTIVE', 1, now() from generate_series(99, 100) n",
        "insert into milestones (id, project_id, position, title, deliverable, amount_minor, currency, "
        "acceptance_rule, status, version, reminder_level) overriding system value select n, 99 + n / 3, n, '', '', 1, "
        "'USD', 'EXPLICIT', 'FUNDED', 1, 0 from generate_series(1, 3) n",
    ):
        session.execute(text(statement))


@settings(max_examples=20, deadline=None, suppress_health_check=SLOW)
@given(steps=STEPS, first=st.integers(-12, 0), length=st.integers(0, 12))
def test_a_breakdown_is_the_plain_sum_page_by_page(
    town: Town, owner: Database, steps: list[Step], first: int, length: int
) -> None:
    turn = next(TURNS)
    if turn == 1:
        owner.run(several)
    for number, step in enumerate(steps):
        parts = (
            Posting(step.line, Money(step.minor, "USD")),
            Posting("other_income", Money(-step.minor, "USD")),
        )
        journal = Journal(f"{turn}.{number}", "x", parts, step.milestone or None)
        at = town.now + timedelta(days=step.day)
        town.database.run(lambda s, journal=journal, at=at: journal_store.post(s, journal, now=at))
        if step.rolled:
            builders.roll_up(owner)
    since = NOW + timedelta(days=first)
    until = min(since + timedelta(days=length), town.now)
    for by, key in PLAIN.items():
        assert _sums(_paged(town, by, since, until)) == _plain(town, key, since, until), by
        filed = town.read(
            lambda s, by=by: fee_breakdown.rows(s, by, currency="USD", since=since, until=until, limit=None)
        )
        assert _sums(filed) == _plain(town, key, since, until), by
    assert town.read(lambda s: invariants.check(s, "fee_totals_agree")) == []


def _paged(town: Town, by: FeeBy, since: datetime, until: datetime) -> list[FeeRow]:
    def read(before: int | None, limit: int = 2) -> list[FeeRow]:
        asked = {"currency": "USD", "since": since, "until": until, "before": before, "limit": limit}
        return town.read(lambda s: fee_breakdown.rows(s, by, **asked))  # type: ignore[arg-type]

    if by not in fee_breakdown.OWNED:
        return read(None, limit=100)
    found: list[FeeRow] = []
    while page := read(found[-1].position if found else None):
        found += page
    assert len({row.id for row in found}) == len(found)
    return found


def _sums(rows: list[FeeRow]) -> dict[tuple[str, str], int]:
    return {
        (row.id, line): amount.minor
        for row in rows
        for line, amount in row.fees.amounts.items()
        if not amount.is_zero
    }


def _plain(town: Town, key: str, since: datetime, until: datetime) -> dict[tuple[str, str], int]:
    """From the journals alone."""
    query = text(
        f"""
        select coalesce({key}, '') as key, c.name, sum(l.amount * c.side)::bigint as grown
        from journals j left join milestones m on m.id = j.milestone_id left join projects p on p.id = m.project_id
        cross join lateral unnest(j.account_ids, j.amounts) as l (account_id, amount)
        join chart c on c.line = (l.account_id >> 10 & 255)
        where (j.posted_at at time zone 'UTC')::date
                between (cast(:since as timestamptz) at time zone 'UTC')::date
                    and (cast(:until as timestamptz) at time zone 'UTC')::date
          and (c.name = any(:lines) or c.name = 'payee_payable' and j.kind = 'decided')
        group by 1, 2 having sum(l.amount) <> 0
        """
    )
    values = {"since": since, "until": until, "lines": list(fees.LINES)}
    return {(row.key, row.name): row.grown for row in town.read(lambda s: s.execute(query, values).all())}


@pytest.mark.parametrize("by", fee_breakdown.OWNED)
def test_a_page_asks_for_no_journals_by_their_time(town: Town, by: FeeBy) -> None:
    """However many were posted in the period: they are read from the totals of each, which are found by their day."""
    values = {"by": by.value, "iso": 840, "first": NOW.date(), "last": NOW.date(), "before_day": NOW.date(),
              "before_length": 0, "before_key": "", "limit": 51}  # fmt: skip
    statement = fee_breakdown.PAGE.format(label=fee_breakdown.LABELS[by])
    with town.database.rehearsal() as session:
        session.execute(text("set local enable_seqscan = off"))
        plan = session.execute(text(f"explain {statement}"), values).scalars().all()
    assert not [line for line in plan if "posted_at_idx" in line], plan
    assert not [line for line in plan if "Seq Scan on journals" in line], plan
