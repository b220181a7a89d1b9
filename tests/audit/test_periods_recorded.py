"""Closed periods, reopenings and manual journals stay what was recorded: what SQL alters is found and named."""

from __future__ import annotations

import pytest

from core import audit
from core.actions.periods import closing, journal_reversals, manual_journals, reopening
from core.queries import invariants
from core.rules.periods import PeriodKind
from tests import builders
from tests.actions.test_manual_journals import approve, propose
from tests.actions.test_periods import YESTERDAY, reconciled
from tests.audit.conftest import Log
from tests.builders import Town

pytestmark = pytest.mark.unrecorded  # the run of reconciliation is written by hand


@pytest.fixture
def town(log: Log) -> Town:
    """One of each: a closed and a reopened day, requests that were approved and withdrawn, journals posted and not."""
    town = builders.a_town(log.database)
    signer, fay, cora = audit.signer(log.home), town.as_staff("fay"), town.as_staff("cora")
    reconciled(town)
    row = town.act(closing.close, fay, kind=PeriodKind.DAY, day=YESTERDAY, signer=signer)
    mistaken = town.act(reopening.propose, fay, period_id=row.id, reason="The wrong day.")
    town.act(reopening.reject, fay, reopening_id=mistaken.id, reason="It was right.")
    asked = town.act(reopening.propose, fay, period_id=row.id, reason="A fee was missing.")
    town.act(reopening.approve, cora, reopening_id=asked.id, reason="Seen.")
    town.act(closing.close, fay, kind=PeriodKind.DAY, day=YESTERDAY, signer=signer)
    approve(town, propose(town))
    refused = propose(town)
    town.act(manual_journals.reject, cora, number=refused, reason="Booked already.")
    back = {"number": 1, "posted_on": town.now.date(), "reason": "Billed twice."}
    town.act(journal_reversals.propose, fay, **back)
    return town


def others(town: Town) -> set[tuple[object, object]]:
    results = {each.name: each for each in town.read(invariants.run)}
    return {(row["what"], row["how"]) for row in results["words_as_recorded"].rows}


ALTERED = {
    "update periods set explanation = 'All was well.' where id = 1": "Closed period 1",
    """update periods set summary = jsonb_set(summary, '{journals,count}', '7') where id = 2""": "Closed period 2",
    "update periods set reopening_id = 1 where id = 1": "Reopening of closed period 1",
    "update period_reopenings set reason = 'A whim.' where id = 2": "Request to reopen a period 2",
    "update period_reopenings set settled_by = 1 where id = 2": "Answer to a request to reopen a period 2",
    "update period_reopenings set note = 'Never mind.' where id = 1": "Answer to a request to reopen a period 1",
    "update manual_journals set amounts = '{400,-400}' where id = 1": "Manual journal 1",
    "update manual_journals set account_codes = '{other_expense,bank}' where id = 2": "Manual journal 2",
    "update manual_journals set reverses_journal_id = 2 where id = 3": "Reversal by manual journal 3",
    "update manual_journals set settled_by = 1 where id = 1": "Answer to manual journal 1",
    "update manual_journals set note = 'Why not.' where id = 2": "Answer to manual journal 2",
}


def test_what_sql_alters_is_found_and_named(log: Log, town: Town) -> None:
    log.seal()
    assert others(town) == set()
    assert log.verify().ok
    for statement in ALTERED:
        log.tamper(statement)
    assert others(town) >= {(what, "altered") for what in ALTERED.values()}
    texts = [finding.text for finding in log.verify().findings]
    for what in ALTERED.values():
        assert any(each.startswith(f"{what} is not what audit entry ") for each in texts), what


def test_what_sql_removes_or_puts_in_is_found(log: Log, town: Town) -> None:
    log.tamper("delete from manual_journals where id = 2")
    log.tamper(
        "insert into period_reopenings (period_id, reason, proposed_by, proposed_at) values (2, 'x', 1, now())"
    )
    assert others(town) >= {
        ("Manual journal 2", "removed"),
        ("Answer to manual journal 2", "removed"),
        ("Request to reopen a period 3", "unknown"),
    }
