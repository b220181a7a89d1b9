"""What a payee owes: its age down to its postings, reminders until it is paid, and a write-off by two people."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.actions.debts import receivables as debts
from core.actions.debts import write_offs
from core.actions.debts.write_offs import LessIsOwed, NothingWrittenOff
from core.db import Database
from core.ledger import accounts, journal_store, postings
from core.ledger.journals import Journal, credit, debit
from core.money import Money
from core.policy.limits import DEBT_REMINDED_EVERY, PROPOSAL_STANDS
from core.processes import deadline_queries
from core.processes.deadlines import DEADLINES
from core.queries import receivables
from core.records import DebtWriteOff, Notification
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalEnded, ProposalFallen, ProposalWaits
from tests import builders
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def owes(town: Town, minor: int, key: str) -> None:
    """The payee owes this much more, booked now against chargeback losses."""
    owed = accounts.receivable_payee(town.payee_id)
    lines = (debit(owed, Money(minor, "USD")), credit(accounts.CHARGEBACK_LOSSES, Money(minor, "USD")))
    journal = Journal(key, "chargeback_lost", lines, None, town.payee_id, "A lost chargeback", {"test": key})
    town.database.run(lambda s: journal_store.post(s, journal, now=town.now))


def pays(town: Town, minor: int, key: str) -> None:
    journal = postings.transfer_reversed(
        key=key, party_id=town.payee_id, amount=Money(minor, "USD"), cause={"test": key}
    )
    town.database.run(lambda s: journal_store.post(s, journal, now=town.now))


def debt(town: Town) -> receivables.Debt:
    (row,) = town.read(lambda s: receivables.debts(s, now=town.now))
    return row


def propose(town: Town, minor: int, by: str = "fay") -> DebtWriteOff:
    return town.act(
        write_offs.propose,
        town.as_staff(by),
        party_id=town.payee_id,
        amount=Money(minor, "USD"),
        reason="They are insolvent",
    )


def test_a_debt_is_shown_by_age_and_what_was_paid_settled_its_oldest_part(town: Town) -> None:
    owes(town, 10_000, "first")
    town.wait(days=70)
    owes(town, 5_000, "second")
    town.wait(days=25)
    owes(town, 700, "third")
    assert [each.minor for each in debt(town).ages] == [5_700, 0, 0, 10_000]
    pays(town, 4_000, "paid")
    row = debt(town)
    assert [each.minor for each in row.ages] == [5_700, 0, 0, 6_000]
    assert row.owed == town.read(lambda s: debts.owed(s, town.payee_id, "USD"))
    parts = town.read(lambda s: receivables.parts(s, town.payee_id, "USD"))
    assert [(each.amount.minor, each.open.minor) for each in parts] == [
        (10_000, 6_000),
        (5_000, 5_000),
        (700, 700),
    ]
    pays(town, 11_700, "all of it")
    assert town.read(lambda s: receivables.debts(s, now=town.now)) == []


def test_the_payee_is_reminded_at_intervals_until_nothing_is_owed(town: Town) -> None:
    owes(town, 10_000, "first")
    start = town.now

    def round_() -> list[str]:
        def run(session: Session) -> None:
            for row in session.execute(deadline_queries.debts(town.now)).all():
                DEADLINES["debt"].lock(session, row.id)
                assert DEADLINES["debt"].act(session, row.id, town.now)

        town.database.run(run)
        found = town.read(lambda s: s.query(Notification).filter_by(template="debt_reminder").all())
        return [each.subject for each in found]

    town.now = start + DEBT_REMINDED_EVERY - timedelta(seconds=1)
    assert round_() == []
    town.now = start + DEBT_REMINDED_EVERY
    assert round_() == round_() == ["You owe us $100.00"]
    pays(town, 4_000, "a part")
    town.now += DEBT_REMINDED_EVERY
    assert round_() == ["You owe us $100.00", "You owe us $60.00"]
    assert (debt(town).reminders, debt(town).reminded_at) == (2, town.now)
    pays(town, 6_000, "the rest")
    town.now += 2 * DEBT_REMINDED_EVERY
    assert len(round_()) == 2


def test_two_people_write_a_debt_off_and_it_is_a_bad_debt_that_is_set_off_no_more(town: Town) -> None:
    owes(town, 10_000, "first")
    row = propose(town, 8_000)
    with pytest.raises(ProposalWaits, match=r"proposed to write off \$80\.00 \("):
        propose(town, 1_000)
    with pytest.raises(MakerIsChecker):
        town.act(write_offs.approve, town.as_staff("fay"), write_off_id=row.id)
    with pytest.raises(NotPermitted):
        town.act(write_offs.approve, town.as_staff("mia"), write_off_id=row.id)
    ada = town.as_staff("ada")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(write_offs.approve, ada, write_off_id=row.id)
    town.act(write_offs.approve, town.as_staff("ada"), write_off_id=row.id)
    assert town.read(lambda s: debts.free(s, town.payee_id, "USD")).minor == 2_000
    assert town.read(lambda s: journal_store.balance(s, accounts.BAD_DEBT, "USD")).minor == 8_000
    with pytest.raises(ProposalEnded):
        town.act(write_offs.approve, town.as_staff("cora"), write_off_id=row.id)
    with pytest.raises(LessIsOwed):
        propose(town, 2_001)
    with pytest.raises(NothingWrittenOff):
        propose(town, 0)
    with pytest.raises(NotPermitted):
        propose(town, 100, by="ada")


def test_it_is_rejected_withdrawn_or_returned_when_less_is_owed_or_time_is_over(town: Town) -> None:
    owes(town, 10_000, "first")
    for who, status in (("cora", "REJECTED"), ("fay", "WITHDRAWN")):
        row = propose(town, 10_000)
        town.act(write_offs.reject, town.as_staff(who), write_off_id=row.id, reason="Not yet")
        assert town.read(lambda s, n=row.id: s.get_one(DebtWriteOff, n)).status == status
    row = propose(town, 10_000)
    assert not town.database.run(lambda s: write_offs.return_stale(s, now=town.now, number=row.id))
    pays(town, 1, "a cent")
    with pytest.raises(LessIsOwed):
        town.act(write_offs.approve, town.as_staff("ada"), write_off_id=row.id)
    assert town.read(lambda s: write_offs.stale(s, now=town.now)) == [row.id]
    assert town.database.run(lambda s: write_offs.return_stale(s, now=town.now, number=row.id))
    row = propose(town, 9_999)
    town.now += PROPOSAL_STANDS + timedelta(seconds=1)
    with pytest.raises(ProposalFallen):
        town.act(write_offs.approve, town.as_staff("ada"), write_off_id=row.id)
    assert town.read(lambda s: journal_store.balance(s, accounts.BAD_DEBT, "USD")).is_zero


@pytest.mark.parametrize(
    "statement",
    [
        "update debt_write_offs set status = 'DONE', settled_by = proposed_by, settled_at = now()",
        "update debt_write_offs set amount_minor = 1",
        "delete from debt_reminders",
        "insert into debt_write_offs (party_id, currency, amount_minor, reason, proposed_by, proposed_at) "
        "select party_id, currency, 1, 'again', proposed_by, now() from debt_write_offs",
    ],
)
def test_the_database_refuses_it_too(town: Town, statement: str) -> None:
    owes(town, 10_000, "first")
    propose(town, 10_000)
    with pytest.raises(DBAPIError):
        town.database.run(lambda s: s.execute(text(statement)))


def test_the_page_shows_a_debt_and_two_people_write_it_off_there(town: Town) -> None:
    owes(town, 10_000, "first")
    app = visit(town, "fay", "receivables", payee=town.payee_id)
    assert "$100.00" in words(app)
    assert "It is set off against what is released to the payee." in words(app)
    row = debt(town).id
    app.text_input(key=f"write-off-reason-{row}").set_value("Insolvent").run()
    app.button(key="write-off-propose").click().run()
    assert not app.exception
    assert "It is written off when someone else approves it." in words(app)
    app = visit(town, "cora", "receivables", payee=town.payee_id)
    assert "Submit for approval" not in labels(app)
    app.text_input(key="write-off-reason").set_value("Agreed").run()
    app.button(key="write-off-confirm").click().run()
    assert not app.exception
    assert "$100.00 is written off." in words(app)
    assert "Nobody owes anything" in words(app)
