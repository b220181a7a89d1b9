"""One case as it is read: what changed since a decision, where the money is, what happened in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core.actions.cases import conversation, evidence
from core.actions.risk import holds
from core.audit.actions import About
from core.db import Database
from core.errors import NotFound
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.queries import case_money, cases, decision_progress, party_history, timeline
from core.queries import evidence as exhibits
from core.queries.cases import CaseView
from core.queries.timeline import TimelineFilter
from tests import builders
from tests.builders import Told, Town
from tests.queries.test_disputes import statements


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def read(town: Town, told: Told, *, by: str = "mia") -> CaseView:
    return town.read(lambda s: cases.case(s, told.case, staff_id=town.staff[by]))


def test_a_case_that_does_not_exist_is_not_found(town: Town) -> None:
    with pytest.raises(NotFound, match="D-99"):
        town.read(lambda s: cases.case(s, 99, staff_id=None))


def test_a_hold_blocks_and_the_case_at_hand_does_not(town: Town) -> None:
    told = builders.in_mediation(town)
    assert read(town, told).blocks == ()
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    assert [each.code for each in read(town, told).blocks] == ["hold"]


def test_what_changed_since_a_waiting_decision_is_named(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    builders.decided(town, told)
    recorded = read(town, told).decision
    assert recorded is not None
    assert (recorded.maker, recorded.changes) == ("Mia Lund", ())
    town.wait(minutes=1)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="One more thing.")
    said = read(town, told).decision
    assert said is not None
    assert (said.changes, said.news) == ((), 1)
    store = EvidenceStore(tmp_path)
    town.act(
        evidence.submit,
        town.payee,
        store=store,
        milestone_id=told.milestone,
        file_name="a.txt",
        content=b"A note.",
    )
    (returned,) = read(town, told).decisions
    assert not returned.stands
    assert returned.record.status == "VOIDED"


def test_evidence_knows_who_opened_it(town: Town, tmp_path: Path) -> None:
    told, store = builders.in_mediation(town), EvidenceStore(tmp_path)
    given = {"store": store, "milestone_id": told.milestone, "file_name": "a.txt", "content": b"A note."}
    piece = town.act(evidence.submit, town.payee, **given)
    town.act(evidence.open_evidence, town.as_staff("mia"), store=store, evidence_id=piece.id)

    def opened(subject: str) -> bool:
        (row,) = town.read(lambda s: exhibits.evidence(s, told.milestone, staff_id=town.staff[subject]))
        return row.opened_at is not None

    assert (opened("mia"), opened("max")) == (True, False)


def test_every_journal_has_two_columns_of_the_same_sum(town: Town) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(40_000, "USD")))
    builders.carry_out(town)
    booked = town.read(lambda s: case_money.journals(s, told.milestone))
    kinds = {each.kind for each in booked}
    assert {
        "charge_settled",
        "decided",
        "withdrawal",
        "refund_succeeded",
        "transfer_arrived",
        "payout_paid",
    } <= kinds
    for each in booked:
        debits = Money.total((leg.debit for leg in each.legs if leg.debit), "USD")
        assert debits == Money.total((leg.credit for leg in each.legs if leg.credit), "USD")
        assert debits.is_positive


def test_an_execution_follows_the_plan_call_by_call(town: Town) -> None:
    told = builders.in_mediation(town)
    decision = builders.decided(town, told, builders.a_draft(told, release=Money(40_000, "USD")))
    before = town.read(lambda s: decision_progress.execution(s, decision.id))
    assert [(each.kind, each.status) for each in before.steps] == [
        ("REFUND", "QUEUED"),
        ("TRANSFER", "QUEUED"),
        ("PAYOUT", "PLANNED"),
    ]
    assert not before.settled(town.now)
    builders.carry_out(town)
    after = town.read(lambda s: decision_progress.execution(s, decision.id))
    assert {each.status for each in after.steps} == {"SUCCEEDED"}
    assert (after.milestone_status, after.next_status) == ("COMPLETED", "AWAITING_FUNDING")
    assert len(after.letters) == 2
    assert not after.settled(town.now)  # the letters have yet to go out
    assert after.settled(town.now.replace(year=2027))


def test_the_timeline_is_in_order_and_knows_its_audience(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(
        conversation.say,
        town.as_staff("mia"),
        milestone_id=told.milestone,
        body="Between us.",
        audience="STAFF",
    )
    case = read(town, told)
    stream = town.read(lambda s: timeline.timeline(s, case))
    assert (stream.page.older, stream.page.newer) == (False, False)
    told_all = stream.events
    assert [each.at for each in told_all] == sorted(each.at for each in told_all)
    assert told_all[0].title == "Bid accepted"
    assert {each.about for each in told_all} >= {About.CASE, About.MESSAGE, About.MONEY, About.LETTER}
    (note,) = [each for each in told_all if each.text == "Between us."]
    assert note.staff_only


def test_reading_a_timeline_takes_the_same_statements_however_much_happened(
    town: Town, database: Database
) -> None:
    told = builders.in_mediation(town)
    case = read(town, told)
    with statements(database) as few:
        town.read(lambda s: timeline.timeline(s, case))
    for number in range(5):
        town.act(conversation.say, town.payer, milestone_id=told.milestone, body=f"Message {number}")
    with statements(database) as many:
        town.read(lambda s: timeline.timeline(s, case))
    assert len(few) == len(many) <= 10


MANY = """
insert into messages (milestone_id, author_kind, author_id, audience, body, at)
select :m, 'party', :p, 'PARTIES', 'Words ' || n, cast(:at as timestamptz) + n / 2 * interval '1 second'
from generate_series(1, 5000) n
"""


def test_five_thousand_events_are_gone_through_page_by_page_without_a_gap(town: Town) -> None:
    """Also where many happened at the same instant."""
    told = builders.in_mediation(town)
    values = {"m": told.milestone, "p": town.payer_id, "at": town.now}
    town.database.run(lambda s: s.execute(text(MANY), values))
    case = read(town, told)
    stream = town.read(lambda s: timeline.timeline(s, case))
    seen = list(stream.page.marks)
    while stream.page.older:
        stream = town.read(
            lambda s, m=stream.first: timeline.timeline(s, case, TimelineFilter(before=m.name))
        )
        seen = [*stream.page.marks, *seen]
    assert len(seen) == len(set(seen)) > 5_000
    assert seen == sorted(seen, key=lambda mark: mark.at)
    onward = town.read(lambda s: timeline.timeline(s, case, TimelineFilter(after=seen[0].name)))
    assert list(onward.page.marks) == seen[1:101]
    assert onward.page.newer


def test_a_link_to_one_entry_opens_the_page_around_it(town: Town) -> None:
    told = builders.in_mediation(town)
    values = {"m": told.milestone, "p": town.payer_id, "at": town.now}
    town.database.run(lambda s: s.execute(text(MANY), values))
    case = read(town, told)
    newest = town.read(lambda s: timeline.timeline(s, case))
    name = f"message-{newest.page.marks[0].id - 2_000}"
    around = town.read(lambda s: timeline.timeline(s, case, TimelineFilter(entry=name)))
    assert [mark.name for mark in around.page.marks].index(name) == 10
    assert (around.page.older, around.page.newer) == (True, True)


@pytest.mark.parametrize(
    "name", ["message-999999", "nothing", "entry-x", "message-1'; drop table messages", "-"]
)
def test_a_link_to_what_is_not_there_says_so_and_shows_the_newest(town: Town, name: str) -> None:
    case = read(town, builders.in_mediation(town))
    stream = town.read(lambda s: timeline.timeline(s, case, TimelineFilter(entry=name)))
    assert stream.page.missing == name
    assert stream.events


def test_the_stream_is_narrowed_by_kind_by_audience_and_by_time(town: Town) -> None:
    told = builders.in_mediation(town)
    mia = town.as_staff("mia")
    say = {"milestone_id": told.milestone, "body": "Between us.", "audience": "STAFF"}
    town.act(conversation.say, mia, **say)
    case = read(town, told)

    def asked(**what: object) -> Sequence[timeline.TimelineEvent]:
        return town.read(lambda s: timeline.timeline(s, case, TimelineFilter(**what)).events)  # type: ignore[arg-type]

    assert {each.about for each in asked(about=frozenset({About.MONEY, About.LETTER}))} == {
        About.MONEY,
        About.LETTER,
    }
    assert "Between us." in [each.text for each in asked()]
    assert [each for each in asked(public=True) if each.staff_only] == []
    assert "Between us." not in [each.text for each in asked(until=town.now - timedelta(microseconds=1))]
    assert "Between us." in [each.text for each in asked(until=town.now)]


def test_a_history_counts_what_came_before(town: Town) -> None:
    first = builders.in_mediation(town)
    builders.decided(town, first)
    second = builders.in_mediation(town)
    past = town.read(lambda s: party_history.history(s, town.payee_id, but=second.case))
    assert (past.projects, past.disputes, past.released, past.open) == (2, 2, 1, 1)
    assert [each.id for each in past.cases] == [first.case]
