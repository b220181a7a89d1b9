"""Closing days and months: what is missing is named, what is closed stays, what is late says so, two people reopen."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import audit
from core.actions.periods import closing, reopening
from core.actions.reconciliation import bank_matches, suspense
from core.audit import period_summary
from core.db import Database
from core.errors import DeskError
from core.ledger import invariants, journal_store, postings
from core.ledger.journal_store import DayClosed
from core.ledger.journals import Journal, Posting
from core.money import Money
from core.policy.limits import DAY_CLOSED_WITHIN
from core.processes import deadline_queries
from core.processes.deadlines import DEADLINES
from core.queries import financial_reports, periods
from core.queries.financial_reports import FinancialReportKind
from core.queries.movements import Period as Days
from core.records import Break, Notification, Period, PeriodReopening, ReconciliationRun
from core.rules.breaks import BreakClass, Side
from core.rules.periods import (
    PeriodClosed,
    PeriodKind,
    PeriodNotClosed,
    PeriodNotReady,
    closed_by,
    span,
)
from core.rules.permissions import TABLE, NotPermitted, Permission, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalFallen, ProposalWaits
from core.rules.reconciliation import BreakKind
from core.rules.suspense import SettledAs
from tests import builders, unrecorded
from tests.actions.test_bank_matching import stated
from tests.builders import NOW, PEOPLE, Town

pytestmark = pytest.mark.unrecorded  # the runs of reconciliation are written by hand
TODAY = NOW.date()
DAY = timedelta(days=1)
YESTERDAY = TODAY - DAY


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    town.signer = audit.signer(tmp_path)  # type: ignore[attr-defined]
    return town


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def reconciled(town: Town) -> None:
    run = ReconciliationRun(until=town.now, started_at=town.now, finished_at=town.now, status="CLEAN")
    run.in_suspense = run.unmatched = 0

    def write(session: Session) -> None:
        unrecorded.admit(session)
        session.add(run)

    town.database.run(write)


def close(
    town: Town, day: date = YESTERDAY, kind: PeriodKind = PeriodKind.DAY, *, who: str = "fay", **more: str
) -> Period:
    return town.act(closing.close, town.as_staff(who), kind=kind, day=day, signer=town.signer, **more)  # type: ignore[attr-defined]


def earn(town: Town, key: str, day: date, minor: int = 100) -> int:
    journal = Journal(key, "x", (Posting("bank", usd(minor)), Posting("other_income", usd(-minor))))
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
    return town.database.run(lambda s: journal_store.post(s, journal, now=town.now, happened_at=at))


def posted(town: Town, key: str) -> tuple[datetime, dict[str, object]]:
    with town.database.reading() as session:
        return tuple(
            session.execute(text("select posted_at, cause from journals where key = :k"), {"k": key}).one()
        )  # type: ignore[return-value]


def test_a_day_is_closed_when_everything_is_in_order(town: Town) -> None:
    earn(town, "a", YESTERDAY)
    reconciled(town)
    row = close(town)
    assert (row.status, row.first_day, row.last_day) == ("CLOSED", YESTERDAY, YESTERDAY)
    assert town.read(periods.open_from) == TODAY
    facts = row.summary
    lines = {line["name"]: line["closing"] for sheet in facts["figures"] for line in sheet["lines"]}
    assert lines == {"bank": 100, "other_income": -100}
    assert facts["journals"]["count"] == 1
    assert all(item["met"] for item in facts["checklist"])


def test_what_is_missing_is_named_all_at_once(town: Town) -> None:
    with pytest.raises(PeriodNotReady) as refused:
        close(town, TODAY)
    assert "is not over yet" in refused.value.message
    assert "that reaches its end can be run when" in refused.value.message
    assert "run one" not in refused.value.message, "it cannot be run today"
    assert "Say why" not in refused.value.message, "no explanation would help"
    assert town.read(periods.open_from) is None


def test_a_check_that_fails_stops_a_close_whatever_is_explained(town: Town, owner: Database) -> None:
    builders.funded(town)
    town.wait(days=1)
    reconciled(town)
    with owner.transaction() as session:
        session.execute(text("set session_replication_role = replica"))
        session.execute(text("update balances set balance = balance + 1 where balance > 0"))
    with pytest.raises(PeriodNotReady) as refused:
        close(town, town.now.date() - DAY, explanation="It will be right again.")
    assert "Not true: “" in refused.value.message


def with_a_break(town: Town, since: datetime) -> None:
    """An open break of our bank's, of this time."""

    def write(session: Session) -> None:
        unrecorded.admit(session)
        found = Break(
            side=Side.BANK, object="x", currency="USD", kind=BreakKind.NOT_IN_LEDGER, theirs=5, since=since
        )
        found.class_, found.opened_at, found.last_seen_at = BreakClass.BANK_ONLY, town.now, town.now
        session.add(found)

    town.database.run(write)


def test_breaks_stop_a_close_until_they_are_explained_and_the_explanation_is_signed(town: Town) -> None:
    reconciled(town)
    with_a_break(town, town.now - timedelta(days=1))
    close(town, YESTERDAY - DAY)
    with pytest.raises(
        PeriodNotReady, match=r"1 open break, not in suspense\. Say why it is closed all the same"
    ):
        close(town)
    row = close(town, explanation="A transfer between our own accounts.")
    assert row.summary["explanation"] == "A transfer between our own accounts."


def test_days_are_closed_in_their_order_and_once(town: Town) -> None:
    reconciled(town)
    close(town, YESTERDAY - DAY)
    with pytest.raises(PeriodNotReady, match="is closed already"):
        close(town, YESTERDAY - DAY)
    with pytest.raises(PeriodNotReady, match="closed already"):
        close(town, YESTERDAY - 5 * DAY)
    town.wait(days=2)
    reconciled(town)
    with pytest.raises(PeriodNotReady, match="is to be closed first"):
        close(town, TODAY)
    close(town, YESTERDAY)
    close(town, TODAY)


def test_a_month_closes_the_days_that_are_left_of_it(town: Town) -> None:
    month = span(PeriodKind.MONTH, TODAY.replace(day=1) - DAY)
    reconciled(town)
    close(town, month.first)
    earn(town, "in", month.first + DAY)
    row = close(town, month.last, PeriodKind.MONTH)
    assert (row.first_day, row.last_day) == (month.first, month.last)
    assert town.read(periods.open_from) == month.last + DAY
    with pytest.raises(PeriodNotReady, match="is closed already"):
        close(town, month.first, PeriodKind.MONTH)


def test_what_comes_late_is_posted_on_the_first_open_day_and_says_so(town: Town) -> None:
    reconciled(town)
    close(town)
    number = earn(town, "late", YESTERDAY - 3 * DAY)
    at, cause = posted(town, "late")
    assert at == datetime.combine(TODAY, datetime.min.time(), UTC)
    assert str(cause["late_for"]).startswith((YESTERDAY - 3 * DAY).isoformat())
    assert earn(town, "late", YESTERDAY - 3 * DAY) == number, "the same journal again is the same"
    earn(town, "today", TODAY)
    assert posted(town, "today")[1] == {}


def test_what_explains_a_line_of_a_closed_day_is_posted_on_an_open_one_and_says_for_which_it_was(
    town: Town, owner: Database
) -> None:
    before, after, today = town.database.run(
        lambda session: stated(session, [(-1, 4_711, "Odd"), (-1, 1_500, "More"), (0, 900, "Today")])
    )
    fay, cora = town.as_staff("fay"), town.as_staff("cora")
    said = {"settled_as": SettledAs.OTHER_INCOME, "reason": "Interest, it seems."}
    (first,) = town.act(bank_matches.explain, fay, line_ids=[before], **said)
    with owner.transaction() as session:
        session.execute(text("update ledger_lock set open_from = :first"), {"first": TODAY})
    town.act(suspense.approve, cora, item_ids=[first.id], reason="The bank says so.")
    (second,) = town.act(bank_matches.explain, fay, line_ids=[after], **said)
    (third,) = town.act(bank_matches.explain, fay, line_ids=[today], **said)
    for each in (second, third):
        town.act(suspense.approve, cora, item_ids=[each.id], reason="The bank says so.")
    booked_before = posted(town, f"bank_line.{before}")
    assert (booked_before[0], "late_for" in booked_before[1]) == (town.now, False), "the day was open"
    for late in (f"suspense.{first.id}", f"bank_line.{after}", f"suspense.{second.id}"):
        at, cause = posted(town, late)
        assert at.date() == TODAY, late
        assert str(cause["late_for"]).startswith(YESTERDAY.isoformat()), late
    for in_time in (f"bank_line.{today}", f"suspense.{third.id}"):
        assert "late_for" not in posted(town, in_time)[1], in_time


def test_what_a_person_dates_into_a_closed_day_is_refused(town: Town) -> None:
    reconciled(town)
    close(town)
    journal = Journal("m", "manual_journal", (Posting("bank", usd(5)), Posting("other_income", usd(-5))))
    with pytest.raises(DayClosed, match="lies in a closed period"):
        town.database.run(
            lambda s: journal_store.post(s, journal, now=town.now, happened_at=town.now - timedelta(days=2))
        )
    town.database.run(lambda s: journal_store.post(s, journal, now=town.now))


def test_what_is_signed_can_be_verified_and_nothing_of_it_changed(town: Town) -> None:
    earn(town, "a", YESTERDAY)
    reconciled(town)
    close(town, YESTERDAY - DAY)
    summary = close(town).summary
    stored = town.read(lambda s: s.get_one(Period, 2).summary)
    assert stored == summary
    signer = period_summary.signer_of(stored)
    assert signer is not None
    assert signer.fingerprint == town.signer.public.fingerprint  # type: ignore[attr-defined]
    first = town.read(lambda s: s.get_one(Period, 1).summary)
    assert stored["previous"] == {"period": 1, "sha256": period_summary.digest(first)}
    for name in stored:
        changed = stored | {name: "x"}
        assert period_summary.signer_of(changed) is None, name
    assert period_summary.signer_of({}) is None


@pytest.mark.parametrize("subject", PEOPLE)
def test_finance_closes_and_nobody_else(town: Town, subject: str) -> None:
    reconciled(town)
    if town.roles[subject] & TABLE[Permission.CLOSE_PERIOD]:
        assert close(town, who=subject).closed_by == town.staff[subject]
    else:
        with pytest.raises(NotPermitted):
            close(town, who=subject)


def test_a_close_asks_for_a_fresh_sign_in(town: Town) -> None:
    actor = town.as_staff("fay")
    town.wait(minutes=20)
    with pytest.raises(StepUpRequired):
        town.act(closing.close, actor, kind=PeriodKind.DAY, day=YESTERDAY, signer=town.signer)  # type: ignore[attr-defined]


def test_two_people_reopen_with_a_reason_and_what_was_closed_after_it_too(town: Town) -> None:
    reconciled(town)
    first, second = close(town, YESTERDAY - DAY), close(town)
    asked = town.act(reopening.propose, town.as_staff("fay"), period_id=first.id, reason="A fee was missing.")
    with pytest.raises(ProposalWaits):
        town.act(reopening.propose, town.as_staff("ada"), period_id=first.id, reason="The same.")
    with pytest.raises(MakerIsChecker):
        town.act(reopening.approve, town.as_staff("fay"), reopening_id=asked.id)
    assert town.read(periods.open_from) == TODAY
    opened = town.act(reopening.approve, town.as_staff("cora"), reopening_id=asked.id, reason="Seen.")
    assert [each.id for each in opened] == [first.id, second.id]
    assert town.read(periods.open_from) == YESTERDAY - DAY
    earn(town, "fee", YESTERDAY - DAY)
    assert posted(town, "fee")[0].date() == YESTERDAY - DAY
    with pytest.raises(PeriodNotClosed):
        town.act(reopening.propose, town.as_staff("fay"), period_id=first.id, reason="Again.")
    again = close(town, YESTERDAY - DAY)
    assert again.summary["journals"]["count"] == 1
    assert town.read(lambda s: s.get_one(Period, first.id).summary)["journals"]["count"] == 0


def test_each_period_has_its_own_reason_for_being_reopened(town: Town) -> None:
    """The month was closed after its day: nobody asked for the month, and its reason is not the day's."""
    month = span(PeriodKind.MONTH, TODAY.replace(day=1) - DAY)
    reconciled(town)
    day = close(town, month.last)
    close(town, month.last, PeriodKind.MONTH)
    asked = town.act(reopening.propose, town.as_staff("fay"), period_id=day.id, reason="A fee was missing.")
    with pytest.raises(
        ProposalWaits,
        match=rf"^Fay Moreno proposed to reopen {month.last:%-d %b %Y} \(.* UTC\)\. That has to be confirmed,",
    ):
        town.act(reopening.propose, town.as_staff("ada"), period_id=day.id, reason="The same.")
    town.act(reopening.approve, town.as_staff("cora"), reopening_id=asked.id)
    of_month, of_day = town.read(periods.rows)
    assert of_day.reopened_because == "A fee was missing."
    its_own = f"Closed after {month.last:%-d %b %Y}, which was reopened: A fee was missing."
    assert of_month.reopened_because == its_own
    entries = text(
        "select object_id::bigint, reason from audit_entries where action = 'staff:period:reopen' order by 1"
    )
    found = town.read(lambda session: [tuple(row) for row in session.execute(entries)])
    assert found == [(of_day.id, "A fee was missing."), (of_month.id, its_own)]


def test_a_request_for_what_was_reopened_with_an_earlier_period_goes_back_to_its_maker(town: Town) -> None:
    reconciled(town)
    first, second = close(town, YESTERDAY - DAY), close(town)
    asked = [
        town.act(reopening.propose, town.as_staff("fay"), period_id=each.id, reason="A fee was missing.").id
        for each in (first, second)
    ]
    assert town.read(lambda s: reopening.stale(s, now=town.now)) == []
    town.act(reopening.approve, town.as_staff("cora"), reopening_id=asked[0])
    with pytest.raises(PeriodNotClosed):
        town.act(reopening.approve, town.as_staff("cora"), reopening_id=asked[1])
    assert town.read(lambda s: reopening.stale(s, now=town.now)) == [asked[1]]
    assert town.database.run(lambda s: reopening.return_stale(s, now=town.now, number=asked[1]))
    returned = town.read(lambda s: s.get_one(PeriodReopening, asked[1]))
    assert (returned.status, returned.note) == ("RETURNED", reopening.OPEN_ALREADY)


def test_nobody_agrees_to_more_than_was_asked_for(town: Town) -> None:
    """What closes after the request would be open again too, which neither of the two has read of."""
    reconciled(town)
    first = close(town, YESTERDAY - DAY)
    asked = town.act(reopening.propose, town.as_staff("fay"), period_id=first.id, reason="A fee was missing.")
    town.wait(minutes=1)
    second = close(town)
    with pytest.raises(ProposalFallen, match=f"^{YESTERDAY:%-d %b %Y} closed after it was asked for"):
        town.act(reopening.approve, town.as_staff("cora"), reopening_id=asked.id)
    assert [row.status for row in town.read(periods.rows)] == ["CLOSED", "CLOSED"]
    assert town.read(lambda s: reopening.stale(s, now=town.now)) == [asked.id]
    assert town.database.run(lambda s: reopening.return_stale(s, now=town.now, number=asked.id))
    again = town.act(reopening.propose, town.as_staff("fay"), period_id=first.id, reason="A fee was missing.")
    opened = town.act(reopening.approve, town.as_staff("cora"), reopening_id=again.id)
    assert [each.id for each in opened] == [first.id, second.id]


def test_a_reopening_that_is_rejected_or_withdrawn_opens_nothing(town: Town) -> None:
    reconciled(town)
    row = close(town)
    for who in ("fay", "cora"):
        asked = town.act(
            reopening.propose, town.as_staff("fay"), period_id=row.id, reason="A fee was missing."
        )
        town.act(reopening.reject, town.as_staff(who), reopening_id=asked.id, reason="It was there.")
        number = asked.id
        status = town.read(lambda s, number=number: s.get_one(PeriodReopening, number).status)  # type: ignore[misc]
        assert status == ("WITHDRAWN" if who == "fay" else "REJECTED")
    assert town.read(periods.open_from) == TODAY


INSERT = (
    "insert into periods (kind, first_day, last_day, status, closed_via, closed_at, explanation, last_journal, summary)"
    " values"
)


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_lock set open_from = '-infinity'",
        "delete from ledger_lock",
        "update periods set status = 'REOPENED', reopening_id = 1",
        "update periods set summary = '{}'",
        "delete from periods",
        "update period_reopenings set status = 'DONE', settled_by = proposed_by, settled_at = now()",
        f"{INSERT} ('DAY', '2026-03-05', '2026-03-05', 'CLOSED', 'x', '2026-03-06', '', 0, '{{}}')",
        f"{INSERT} ('DAY', '2026-03-02', '2026-03-02', 'CLOSED', 'x', '2026-03-02', '', 0, '{{}}')",
        f"{INSERT} ('MONTH', '2026-03-02', '2026-03-31', 'CLOSED', 'x', '2026-05-02', '', 0, '{{}}')",
        f"{INSERT} ('DAY', '2026-03-02', '2026-03-02', 'CLOSED', 'x', '2026-03-03', '', 99, '{{}}')",
    ],
)
def test_the_database_moves_the_lock_only_with_a_period_and_two_people(town: Town, statement: str) -> None:
    reconciled(town)
    row = close(town)
    town.act(reopening.propose, town.as_staff("fay"), period_id=row.id, reason="A fee was missing.")
    session = Session(town.database.engine)
    unrecorded.admit(session)
    with pytest.raises(DBAPIError):
        session.execute(text(statement))
    session.close()


def test_a_journal_that_is_on_its_way_is_waited_for_and_one_that_comes_after_is_late(town: Town) -> None:
    """One posts and has not committed; the other closes, and waits for it."""
    reconciled(town)
    holding, let_go = threading.Event(), threading.Event()

    def post() -> None:
        def slowly(session: Session) -> None:
            journal = Journal("slow", "x", (Posting("bank", usd(7)), Posting("other_income", usd(-7))))
            journal_store.post(session, journal, now=town.now, happened_at=town.now - DAY)
            holding.set()
            assert let_go.wait(10)

        town.database.run(slowly)

    def waits_for_the_lock() -> bool:
        with town.database.reading() as session:
            return bool(session.execute(text("select 1 from pg_locks where not granted")).first())

    with ThreadPoolExecutor(3) as pool:
        poster = pool.submit(post)
        assert holding.wait(10)
        closer = pool.submit(lambda: close(town))
        while not waits_for_the_lock():
            assert not closer.done(), closer.exception()
        third = pool.submit(lambda: earn(town, "after", YESTERDAY))
        let_go.set()
        poster.result()
        summary = closer.result().summary
        third.result()
    assert summary["journals"]["count"] == 1
    assert posted(town, "slow")[0].date() == YESTERDAY
    at, cause = posted(town, "after")
    assert (at.date(), "late_for" in cause) == (TODAY, True)
    with town.database.reading() as session:
        assert invariants.check(session, "closed_periods_stand", "closed_figures_stand") == []


def test_of_two_who_close_one_day_at_once_one_does(town: Town) -> None:
    reconciled(town)

    def attempt(_: int) -> object:
        try:
            return close(town).id
        except DeskError as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(attempt, range(2)))
    assert sum(isinstance(each, int) for each in done) == 1
    assert sum(isinstance(each, PeriodNotReady) for each in done) == 1


CLOSED_ON = text("select id from periods where first_day = :d and status = 'CLOSED'")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(-6, 0)),
        st.tuples(st.just("close"), st.integers(-6, -1)),
        st.tuples(st.just("reopen"), st.integers(-6, -1)),
    ),
    min_size=3,
    max_size=12,
)


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=8, deadline=None, suppress_health_check=SLOW)
@given(steps=STEPS)
def test_no_closed_day_changes_and_assets_are_always_liabilities_and_equity(
    town: Town, steps: list[tuple[str, int]]
) -> None:
    closed: dict[date, object] = {}
    began = town.now
    town.wait(days=30)  # beyond what an example before this one has closed
    today = town.now.date()
    reconciled(town)
    for number, (what, offset) in enumerate(steps):
        day = today + offset * DAY
        if what == "post":
            earn(town, f"{began.isoformat()}-{number}", day, minor=number + 1)
        elif what == "close":
            since = town.read(periods.open_from)
            for each in (day,) if since is None else (since + n * DAY for n in range((day - since).days + 1)):
                closed[each] = close(town, each).summary["figures"]
        elif (open_from := town.read(periods.open_from)) is not None and day in closed and day < open_from:
            row = town.read(lambda s, day=day: s.execute(CLOSED_ON, {"d": day}).scalar_one())  # type: ignore[misc]
            asked = town.act(
                reopening.propose, town.as_staff("fay"), period_id=row, reason="A fee was missing."
            )
            town.act(reopening.approve, town.as_staff("cora"), reopening_id=asked.id)
            closed = {each: said for each, said in closed.items() if each < day}
        for each, said in closed.items():
            assert town.read(lambda s, each=each: periods.figures(s, span(PeriodKind.DAY, each))) == said  # type: ignore[misc]
        for report in town.read(
            lambda s: financial_reports.reports(s, FinancialReportKind.BALANCE_SHEET, Days(today, today))
        ):
            assert report.difference.is_zero
    with town.database.reading() as session:
        assert invariants.check(session, "closed_periods_stand", "closed_figures_stand") == []


def test_finance_is_reminded_once_of_a_day_that_should_be_closed(town: Town) -> None:
    def due(at: datetime) -> list[str]:
        def run(session: Session) -> None:
            for row in session.execute(deadline_queries.unclosed_days(at)).all():
                DEADLINES["unclosed_day"].lock(session, row.id)
                assert DEADLINES["unclosed_day"].act(session, row.id, at)

        town.database.run(run)
        found = town.read(lambda s: s.query(Notification).filter_by(template="day_not_closed").all())
        return [each.subject for each in found]

    assert due(town.now + 30 * DAY) == [], "a desk that has never closed a day has none to close"
    reconciled(town)
    close(town)
    ends = closed_by(span(PeriodKind.DAY, TODAY))
    assert due(ends - timedelta(seconds=1)) == []
    assert due(ends) == due(ends + 30 * DAY) == [f"{TODAY:%-d %B %Y} is not closed"]
    town.now = ends + DAY
    reconciled(town)
    close(town, TODAY)
    number = int(f"{TODAY:%Y%m%d}")
    closed_meanwhile = town.database.run(lambda s: DEADLINES["unclosed_day"].act(s, number, town.now))
    assert not closed_meanwhile, "found before it was closed"
    late = ends + DAY_CLOSED_WITHIN
    assert len(due(late - timedelta(seconds=1))) == 1, "one close is not the next reminder"
    assert len(due(late)) == 2


def test_what_was_closed_by_months_is_due_by_months(town: Town) -> None:
    """Not its first day, three days after that: the month, three days after it has ended."""

    def due(at: datetime) -> list[str]:
        rows = town.read(lambda s: s.execute(deadline_queries.unclosed_days(at)).all())
        for row in rows:
            town.database.run(lambda s, n=row.id: DEADLINES["unclosed_day"].act(s, n, at))  # type: ignore[misc]
        found = town.read(lambda s: s.query(Notification).filter_by(template="day_not_closed").all())
        return [each.subject for each in found]

    march = span(PeriodKind.MONTH, TODAY)
    reconciled(town)
    close(town, march.first - DAY, PeriodKind.MONTH)
    assert town.read(periods.next_due) == march
    assert due(closed_by(march) - timedelta(seconds=1)) == []
    assert due(closed_by(march)) == ["March 2026 is not closed"]
    close(town, march.first)
    assert town.read(periods.next_due) == span(PeriodKind.DAY, TODAY), "its days are closed one by one now"


def test_a_month_that_was_closed_day_by_day_is_followed_by_a_day(town: Town) -> None:
    last = span(PeriodKind.MONTH, TODAY).first - DAY
    reconciled(town)
    close(town, last)
    close(town, last, PeriodKind.MONTH)
    assert town.read(periods.next_due) == span(PeriodKind.DAY, last + DAY)


def test_a_span_is_a_day_or_the_month_around_it() -> None:
    assert span(PeriodKind.MONTH, date(2026, 2, 10)).last == date(2026, 2, 28)
    assert span(PeriodKind.DAY, date(2026, 2, 10)).words == "10 Feb 2026"
    assert PeriodClosed(period="x").message.startswith("x is closed.")
    assert (
        postings.opening_balance(key="o", account="bank", amount=usd(5), cause={}).kind == "opening_balance"
    )


@pytest.mark.parametrize(
    ("kind", "begins", "name"),
    [
        (PeriodKind.DAY, 1, "day-2026-10-05"),
        (PeriodKind.MONTH, 1, "month-2026-10"),
        (PeriodKind.YEAR, 1, "year-2026"),
        (PeriodKind.YEAR, 4, "year-2026-27"),
    ],
)
def test_a_month_in_the_name_of_a_file_does_not_read_like_a_day(
    kind: PeriodKind, begins: int, name: str
) -> None:
    assert span(kind, date(2026, 10, 5), year_begins=begins).in_file_names == name
