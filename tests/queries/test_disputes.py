"""The mediators' queue, as SQL finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from core.actions.cases import conversation, mediator_assignment
from core.actions.risk import holds
from core.db import Database
from core.money import Money
from core.queries import disputes
from core.queries.disputes import CaseFilter, View, Watch
from tests import builders
from tests.builders import Town


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def wanted(town: Town, **filters: object) -> CaseFilter:
    return CaseFilter(me=town.staff["mia"], now=town.now, **filters)  # type: ignore[arg-type]


def found(town: Town, **filters: object) -> list[int]:
    return [row.id for row in town.read(lambda s: disputes.page(s, wanted(town, **filters)))]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*call: object) -> None:
        seen.append(str(call[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_an_empty_desk_has_an_empty_queue(town: Town) -> None:
    assert found(town) == []
    assert town.read(lambda s: disputes.count(s, wanted(town))) == 0
    assert town.read(lambda s: disputes.figures(s, me=town.staff["mia"], now=town.now)).stakes == ()


def test_a_row_says_who_what_and_how_much(town: Town) -> None:
    told = builders.in_mediation(town)
    (row,) = town.read(lambda s: disputes.page(s, wanted(town)))
    held = town.read(
        lambda s: s.execute(text("select held_minor from payment_orders where held_minor > 0")).scalar_one()
    )
    assert (row.reference, row.parties) == (f"D-{told.case}", "Ana Lindqvist · Ben Okafor")
    assert (row.reason, row.status, row.mediator) == ("Incomplete", "UNDER_REVIEW", "Mia Lund")
    assert row.stake == Money(held, "USD")
    assert row.news == 2
    assert row.marks == ()


def test_what_is_due_first_comes_first(town: Town) -> None:
    first, second = builders.in_mediation(town), builders.disputed(town)
    assert found(town) == sorted(
        (first.case, second.case),
        key=lambda number: (
            builders.case_of(town, second if number == second.case else first).due_at,
            number,
        ),
    )


@pytest.mark.parametrize("view", list(View))
def test_every_view_finds_what_it_names_and_nothing_else(town: Town, view: View) -> None:
    mine = builders.in_mediation(town)
    free = builders.in_mediation(town, mediator=None)
    asked = builders.in_mediation(town, mediator="max")
    from core.actions.cases import conversation

    town.act(
        conversation.ask,
        town.as_staff("max"),
        case_id=asked.case,
        party_id=town.payer_id,
        question="When was the worktop due?",
        answer_due_at=town.now + timedelta(days=6),
    )
    big = builders.in_mediation(town, mediator="max", total=Money(9_000_000, "USD"))
    builders.decided(town, big, builders.a_draft(big))
    done = builders.in_mediation(town, mediator="max")
    builders.decided(town, done)
    town.database.run(lambda s: mediator_assignment.escalate(s, now=town.now, case_id=big.case))
    late = CaseFilter(me=town.staff["mia"], now=builders.case_of(town, mine).due_at, view=View.OVERDUE)
    expected = {
        View.MINE: {mine.case},
        View.UNASSIGNED: {free.case},
        View.WAITING: {asked.case},
        View.OVERDUE: {mine.case},
        View.ESCALATED: {big.case},
        View.APPROVAL: {big.case},
        View.DECIDED: {done.case},
    }
    filter = late if view is View.OVERDUE else wanted(town, view=view)
    assert {row.id for row in town.read(lambda s: disputes.page(s, filter))} == expected[view]
    assert town.read(lambda s: disputes.count(s, filter)) == len(expected[view])


@pytest.mark.parametrize("words", ["lindq", "Líndq", "OKAFOR", "new kit", "D-{id}", "{id}", "d{id}"])
def test_words_find_parties_titles_and_numbers(town: Town, words: str) -> None:
    told = builders.in_mediation(town)
    assert found(town, words=words.format(id=told.case)) == [told.case]
    assert found(town, words="nobody of that name") == []


@pytest.mark.parametrize("words", ["%", "_", "\\", "'; drop table cases; --", "D-99999999999999999999"])
def test_words_are_only_words(town: Town, words: str) -> None:
    builders.in_mediation(town)
    assert found(town, words=words) == []


def test_the_platform_is_a_filter(town: Town) -> None:
    told = builders.in_mediation(town)
    assert found(town, platform="home_services") == [told.case]
    assert found(town, platform="legal_services") == []


def test_marks_tell_what_to_watch(town: Town) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report came in.")
    (row,) = town.read(lambda s: disputes.page(s, wanted(town)))
    assert row.marks == ("HOLD", "HIGH_VALUE")


def test_words_after_a_decision_that_waits_are_marked_and_found(town: Town) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    builders.clear_reviews(town, told.milestone)
    builders.decided(town, told)
    assert found(town, watch=Watch.SINCE) == []
    town.now += timedelta(seconds=1)
    town.act(conversation.say, town.as_staff("mia"), milestone_id=told.milestone, body="We look at it.")
    assert found(town, watch=Watch.SINCE) == []
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="Wait, there is more.")
    (row,) = town.read(lambda s: disputes.page(s, wanted(town, watch=Watch.SINCE)))
    assert "SINCE" in row.marks


def test_figures_count_views_and_sum_money_by_currency(town: Town) -> None:
    builders.in_mediation(town)
    builders.in_mediation(town, mediator=None)
    figures = town.read(lambda s: disputes.figures(s, me=town.staff["mia"], now=town.now))
    assert (figures.open, figures.mine, figures.unassigned, figures.overdue) == (2, 1, 1, 0)
    assert [each.currency for each in figures.stakes] == ["USD"]


def test_a_page_takes_the_same_statements_however_many_rows_it_has(town: Town, database: Database) -> None:
    builders.in_mediation(town)
    with statements(database) as one:
        found(town)
    builders.in_mediation(town)
    builders.in_mediation(town, mediator=None)
    with statements(database) as three:
        found(town)
    assert len(one) == len(three)


def test_the_next_unassigned_case_is_one_without_a_tie(town: Town) -> None:
    from core.actions.staff import ties

    told = builders.in_mediation(town, mediator=None)
    mia = town.staff["mia"]
    assert town.read(lambda s: disputes.next_unassigned(s, me=mia, now=town.now)) == told.case
    town.act(ties.declare_tie, town.as_staff("mia"), staff_id=mia, party_id=town.payer_id, reason="Neighbour")
    assert town.read(lambda s: disputes.next_unassigned(s, me=mia, now=town.now)) is None
