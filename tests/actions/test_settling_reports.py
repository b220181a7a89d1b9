"""Repeated contact, and what settling a report does: said before, done then, and nothing else."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.risk import report_outcomes, reports
from core.db import Database
from core.errors import ChangedMeanwhile
from core.queries import party_history
from core.records import Hold, Milestone, Notification, Report, RiskReview
from core.rules.permissions import SYSTEM
from core.rules.report_outcomes import Consequence, Effect
from core.rules.reports import ReportKind, ReportOutcome, Severity, Source
from core.rules.risk import ReviewStillNeeded
from tests import builders
from tests.actions.test_risk import approved, blocks, cleared, file, review_of, settled, status
from tests.builders import Told, Town

CONTACT = ReportKind.OFF_PLATFORM_CONTACT
UPHELD, DISMISSED = ReportOutcome


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def foreseen(town: Town, report: Report, outcome: ReportOutcome) -> tuple[Consequence, ...]:
    return town.read(lambda s: report_outcomes.preview(s, report.id, outcome, now=town.now))


def effects(town: Town, report: Report, outcome: ReportOutcome) -> list[str]:
    return [each.effect for each in foreseen(town, report, outcome)]


def test_attempts_each_settled_before_the_next_still_open_a_review(town: Town) -> None:
    told = builders.funded(town)
    first = file(town, told, CONTACT, by=SYSTEM, source=Source.CONTENT_RULE)
    settled(town, first, UPHELD)
    assert review_of(town, told) is None
    file(town, told, CONTACT, by=SYSTEM, source=Source.CONTENT_RULE)
    assert blocks(town, told) == ["review"]


def test_attempts_that_were_dismissed_or_are_older_than_the_window_open_none(town: Town) -> None:
    told = builders.funded(town)
    for _ in range(4):
        settled(town, file(town, told, CONTACT), DISMISSED)
    settled(town, file(town, told, CONTACT), UPHELD)
    town.wait(days=30)
    settled(town, file(town, told, CONTACT), UPHELD)
    assert review_of(town, told) is None


def test_each_further_attempt_opens_another_review_and_nothing_else_does(town: Town) -> None:
    told = builders.funded(town)
    for _ in range(2):
        settled(town, file(town, told, CONTACT), UPHELD)
    cleared(town, told)
    file(town, told, ReportKind.OTHER)
    assert blocks(town, told) == []
    settled(town, file(town, told, CONTACT), UPHELD)
    assert blocks(town, told) == ["review"]


def test_a_review_is_not_cleared_while_one_of_its_reports_is_open_not_even_in_sql(
    town: Town, owner: Database
) -> None:
    told = builders.funded(town)
    both = [file(town, told, CONTACT) for _ in range(2)]
    settled(town, both[0], DISMISSED)
    with pytest.raises(ReviewStillNeeded) as refused:
        cleared(town, told)
    assert [block.sentence for block in refused.value.blocks] == [f"Report RP-{both[1].id} is not settled."]
    by_hand = (
        "update risk_reviews set settled_at = now(), outcome = 'CLEARED', note = '-', "
        "settled_by = (select min(id) from staff)"
    )
    with pytest.raises(DBAPIError, match="has a report that is not settled"), owner.transaction() as session:
        session.execute(text(by_hand))
    settled(town, both[1], DISMISSED)
    cleared(town, told)
    assert blocks(town, told) == []


def test_an_upheld_threat_before_the_payment_is_reviewed_when_it_is_paid(town: Town) -> None:
    told = builders.funded(town)
    report = file(town, told, ReportKind.THREAT)
    settled(town, report, UPHELD)
    assert blocks(town, told) == ["review"]
    cleared(town, told)
    assert blocks(town, told) == []


@pytest.mark.parametrize("outcome", ReportOutcome)
def test_settling_does_what_was_said_of_every_kind_and_nothing_else(
    town: Town, outcome: ReportOutcome
) -> None:
    """Every kind, severity and author: holds, reviews, the record against a party, and who is told."""
    for kind, severity, source in product(ReportKind, Severity, Source):
        told = builders.funded(town)
        by = SYSTEM if source is Source.CONTENT_RULE else town.payee
        also = {"subject": "payee"} if source is Source.CONTENT_RULE else {}
        report = file(town, told, kind, by=by, source=source, severity=severity, **also)
        said = foreseen(town, report, outcome)
        before = _facts(town, told, report)
        settled(town, report, outcome)
        after = _facts(town, told, report)
        said_effects = [each.effect for each in said]
        assert (after["holds"] - before["holds"]) == said_effects.count(Effect.HOLD), (kind, severity, source)
        opened = after["reviews"] - before["reviews"]
        assert opened == said_effects.count(Effect.REVIEW_OPENS), (kind, severity, source)
        assert before["reviews"] == said_effects.count(Effect.REVIEW_STAYS)
        assert (after["upheld"] - before["upheld"]) == said_effects.count(Effect.RECORDED)
        assert (after["letters"] - before["letters"]) == said_effects.count(Effect.AUTHOR_TOLD)
        assert (outcome is UPHELD and severity is Severity.SEVERE) == (Effect.HOLD in said_effects)
        assert (outcome is UPHELD and kind is CONTACT) == (Effect.COUNTED in said_effects)
        severe_event = source is Source.CONTENT_RULE and severity is Severity.SEVERE
        freed = {Effect.GOES_ON, Effect.STILL_WAITS} & set(said_effects)
        assert bool(freed) == (outcome is DISMISSED and severe_event)
        assert bool(blocks(town, told)) == bool(
            {Effect.HOLD, Effect.REVIEW_OPENS, Effect.REVIEW_STAYS} & set(said_effects)
        )


def _facts(town: Town, told: Told, report: Report) -> dict[str, int]:
    def read(session: Any) -> dict[str, int]:
        subject = session.get_one(Report, report.id).subject_id
        mine = select(RiskReview).where(
            RiskReview.milestone_id == told.milestone, RiskReview.settled_at.is_(None)
        )
        about = (Notification.template == "report_settled", Notification.project_id == told.project)
        return {
            "holds": len(session.scalars(select(Hold).where(Hold.milestone_id == told.milestone)).all()),
            "reviews": len(session.scalars(mine).all()),
            "upheld": party_history.history(session, subject).upheld,
            "letters": len(session.scalars(select(Notification).where(*about)).all()),
        }

    return town.read(read)


def test_money_that_waited_only_for_a_severe_event_moves_when_it_is_dismissed_and_not_when_upheld(
    town: Town,
) -> None:
    severe = {"by": SYSTEM, "source": Source.CONTENT_RULE, "severity": Severity.SEVERE}
    for outcome, expected in ((UPHELD, "VERIFIED"), (DISMISSED, "COMPLETED")):
        told = builders.funded(town)
        report = file(town, told, ReportKind.OTHER, **severe)
        approved(town, told)
        assert (Effect.GOES_ON in effects(town, report, outcome)) == (outcome is DISMISSED)
        settled(town, report, outcome)
        builders.carry_out(town)
        assert status(town, told) == expected
    held = town.read(lambda s: s.execute(select(Hold.kind, Hold.report_id, Hold.reason)).one())
    assert held.kind == "REPORT"
    assert held.reason == f"Report RP-{held.report_id} was upheld: Looked into."


def test_whoever_was_shown_other_consequences_is_refused(town: Town) -> None:
    told = builders.funded(town)
    report = file(town, told, CONTACT)
    shown = foreseen(town, report, UPHELD)
    file(town, told, CONTACT)
    with pytest.raises(ChangedMeanwhile):
        town.act(
            reports.settle,
            town.as_staff("cora"),
            report_id=report.id,
            outcome=UPHELD,
            note="So it is.",
            foreseen=shown,
        )


def test_contact_about_one_milestone_stops_the_money_of_all_the_project(town: Town) -> None:
    told = builders.funded(town)
    every = town.read(
        lambda s: s.scalars(select(Milestone.id).where(Milestone.project_id == told.project)).all()
    )
    other = Told(told.project, next(each for each in every if each != told.milestone))
    file(town, other, CONTACT)
    file(town, other, CONTACT)
    assert blocks(town, told) == ["review"]
