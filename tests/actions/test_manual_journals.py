"""Manual journals: two people, open days, accounts of the platform only, reversed and never edited."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import audit
from core.actions.periods import closing, journal_reversals, manual_journals
from core.actions.periods.journal_reversals import NotPosted, ReversedBefore
from core.actions.periods.manual_journals import Attached, DayToCome
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.ledger import accounts, invariants, journal_store, postings
from core.ledger.journal_store import DayClosed, Overdraft
from core.ledger.journals import Posting, UnbalancedJournal
from core.ledger.postings.by_hand import NotByHand, OneSideEach, by_hand
from core.money import Money
from core.queries import manual_journals as queries
from core.records import ManualJournal
from core.rules.periods import PeriodClosed, PeriodKind
from core.rules.permissions import TABLE, NotPermitted, Permission
from core.rules.proposals import MakerIsChecker, ProposalEnded
from tests import builders, unrecorded
from tests.actions.test_periods import reconciled
from tests.builders import NOW, PEOPLE, Town

pytestmark = pytest.mark.unrecorded  # the run of reconciliation is written by hand
TODAY = NOW.date()


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


FEE = (Posting("bank_charges", usd(500)), Posting("bank", usd(-500)))


def propose(
    town: Town, lines: tuple[Posting, ...] = FEE, *, who: str = "fay", days: int = 0, **more: object
) -> int:
    row = town.act(
        manual_journals.propose,
        town.as_staff(who),
        lines=lines,
        posted_on=town.now.date() - timedelta(days=days),
        memo="Account fee",
        reason="On the bank's statement.",
        **more,
    )
    return int(row.id)


def approve(town: Town, number: int, who: str = "cora") -> ManualJournal:
    return town.act(manual_journals.approve, town.as_staff(who), number=number)


def balance(town: Town, code: str) -> int:
    found = town.read(
        lambda s: s.execute(text("select net from account_balances where code = :c"), {"c": code}).scalar()
    )
    return int(found or 0)


def test_what_one_proposes_another_posts_as_it_was_proposed(town: Town) -> None:
    number = propose(town)
    assert balance(town, "bank") == 0
    with pytest.raises(MakerIsChecker):
        approve(town, number, "fay")
    row = approve(town, number)
    assert row.status == "POSTED"
    assert (balance(town, "bank"), balance(town, "bank_charges")) == (-500, 500)
    with pytest.raises(ProposalEnded):
        approve(town, number)


def test_of_an_earlier_open_day_it_is_posted_at_its_end(town: Town) -> None:
    number = approve(town, propose(town, days=3)).journal_id
    at = town.read(
        lambda s: s.execute(text("select posted_at from journals where id = :i"), {"i": number}).scalar_one()
    )
    assert (at.date(), at.hour) == (TODAY - timedelta(days=3), 23)


def test_a_reversal_takes_two_as_well_and_links_both_ways(town: Town) -> None:
    number = propose(town)
    ask = {"number": number, "posted_on": town.now.date(), "reason": "Posted twice."}
    with pytest.raises(NotPosted):
        town.act(journal_reversals.propose, town.as_staff("fay"), **ask)
    approve(town, number)
    back = town.act(journal_reversals.propose, town.as_staff("fay"), **ask).id
    with pytest.raises(ReversedBefore):
        town.act(journal_reversals.propose, town.as_staff("fay"), **ask)
    assert balance(town, "bank") == -500
    approve(town, back)
    assert balance(town, "bank") == balance(town, "bank_charges") == 0
    first, second = (town.read(lambda s, n=n: queries.row(s, n)) for n in (number, back))  # type: ignore[misc]
    assert (first.reversed_by_id, second.reverses_id) == (back, number)
    with town.database.reading() as session:
        assert invariants.check(session) == []


def test_a_closed_day_is_refused_when_it_is_proposed_and_when_it_is_approved(
    town: Town, tmp_path: Path
) -> None:
    number = propose(town, days=1)
    assert not town.database.run(lambda s: manual_journals.return_stale(s, now=town.now, number=number))
    reconciled(town)
    yesterday = town.now.date() - timedelta(days=1)
    signer = audit.signer(tmp_path)
    town.act(closing.close, town.as_staff("fay"), kind=PeriodKind.DAY, day=yesterday, signer=signer)
    with pytest.raises(PeriodClosed):
        propose(town, days=1)
    with pytest.raises(DayClosed):
        approve(town, number)
    assert town.read(lambda s: manual_journals.stale(s, now=town.now)) == [number]
    assert town.database.run(lambda s: manual_journals.return_stale(s, now=town.now, number=number))
    assert town.read(lambda s: s.get_one(ManualJournal, number).status) == "RETURNED"


def test_a_day_to_come_is_refused(town: Town) -> None:
    with pytest.raises(DayToCome):
        propose(town, days=-1)


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ((Posting("held:1", usd(5)), Posting("bank", usd(-5))), NotByHand),
        ((Posting("stripe_balance", usd(5)), Posting("bank", usd(-5))), NotByHand),
        ((Posting("payee_payable:2", usd(5)), Posting("bank", usd(-5))), NotByHand),
        ((Posting("suspense", usd(5)), Posting("bank", usd(-5))), NotByHand),
        ((Posting("bank", usd(5)), Posting("other_income", usd(-4))), UnbalancedJournal),
        ((Posting("bank", usd(5)), Posting("bank", usd(-5))), OneSideEach),
        ((Posting("bank", usd(0)), Posting("other_income", usd(0))), OneSideEach),
    ],
)
def test_lines_that_do_not_fit_are_refused_before_anybody_is_asked(
    town: Town, lines: tuple[Posting, ...], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        propose(town, lines)


def test_no_account_of_anybody_else_is_posted_to_by_hand() -> None:
    allowed = {line.name for line in accounts.CHART.values() if by_hand(line.name)}
    kinds = {accounts.CHART[name].kind.value for name in allowed - {"bank", "receivable_payee"}}
    assert kinds == {"equity", "income", "expense"}
    assert {"bank", "receivable_payee"} <= allowed


def test_more_than_a_payee_owes_is_not_written_off(town: Town) -> None:
    written_off = (Posting("bad_debt", usd(5)), Posting(f"receivable_payee:{town.payee_id}", usd(-5)))
    with pytest.raises(Overdraft):
        approve(town, propose(town, written_off))


@pytest.mark.parametrize("subject", PEOPLE)
def test_finance_proposes_and_whoever_may_approves(town: Town, subject: str) -> None:
    roles = town.roles[subject]
    if roles & TABLE[Permission.PROPOSE_JOURNAL]:
        propose(town, who=subject)
    else:
        with pytest.raises(NotPermitted):
            propose(town, who=subject)
    number = propose(town)
    if subject != "fay" and roles & TABLE[Permission.CONFIRM_JOURNAL]:
        approve(town, number, subject)
    elif subject != "fay":
        with pytest.raises(NotPermitted):
            approve(town, number, subject)


def test_it_is_rejected_or_withdrawn_and_nothing_is_posted(town: Town) -> None:
    for who, status in (("fay", "WITHDRAWN"), ("cora", "REJECTED")):
        number = propose(town)
        town.act(manual_journals.reject, town.as_staff(who), number=number, reason="Not ours.")
        assert town.read(lambda s, number=number: s.get_one(ManualJournal, number).status) == status  # type: ignore[misc]
    assert balance(town, "bank") == 0


def test_an_attachment_is_kept_and_given_as_it_came(town: Town, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    number = propose(town, attached=Attached("note.txt", b"Fee of March."), store=store)
    fay = town.as_staff("fay")
    read = town.read(lambda s: manual_journals.attachment(s, fay, store=store, number=number))
    assert read == b"Fee of March."
    with pytest.raises(Exception, match="fee"):
        propose(town, attached=Attached("fee.exe", b"MZ"), store=store)


@pytest.mark.parametrize(
    "statement",
    [
        "update manual_journals set amounts = '{1,-1}'",
        "update manual_journals set memo = 'x'",
        "delete from manual_journals",
        "update manual_journals set status = 'POSTED', settled_by = 4, settled_at = now(), journal_id = 1",
        "update manual_journals set status = 'POSTED', settled_by = proposed_by, settled_at = now(), journal_id = 1",
    ],
)
def test_the_database_keeps_what_was_proposed(town: Town, statement: str) -> None:
    opening = postings.opening_balance(key="o", account="bank", amount=usd(9), cause={})
    town.database.run(lambda s: journal_store.post(s, opening, now=town.now))
    propose(town)
    session = Session(town.database.engine)
    unrecorded.admit(session)
    with pytest.raises(DBAPIError):
        session.execute(text(statement))
    session.close()


OWN = sorted(name for name, line in accounts.CHART.items() if by_hand(name) and not line.per)
LINE = st.tuples(st.sampled_from(OWN), st.integers(1, 10**9))


@given(debits=st.lists(LINE, min_size=1, max_size=4), against=st.sampled_from(["bank", "other_income"]))
def test_a_reversal_undoes_to_the_cent(debits: list[tuple[str, int]], against: str) -> None:
    sums = {name: minor for name, minor in debits if name != against}
    if not sums:
        return
    lines = [
        *(Posting(name, usd(minor)) for name, minor in sums.items()),
        Posting(against, usd(-sum(sums.values()))),
    ]
    there = postings.manual_journal(key="a", lines=lines, memo="m", cause={})
    back = postings.manual_journal_reversed(key="b", lines=lines, memo="m", cause={})
    assert {each.account: each.amount for each in there.postings} == {
        each.account: -each.amount for each in back.postings
    }
