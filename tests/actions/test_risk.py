"""Reports, flagged practices and risk reviews: what they stop, who settles them, and what then goes on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import verification
from core.actions.milestones.milestone_context import open_milestone
from core.actions.payouts import release
from core.actions.risk import holds as hold
from core.actions.risk import practice_flags, reports, risk_reviews
from core.db import Database
from core.errors import NotFound, ReasonMissing
from core.money import Money
from core.processes.outgoing import dispatch
from core.records import Hold, Milestone, Notification, OutgoingOperation, Report, RiskReview
from core.rules import holds
from core.rules.permissions import SYSTEM, Actor, NotPermitted, NotYours
from core.rules.reports import DetailsMissing, ReportKind, ReportOutcome, Severity, Source
from core.rules.risk import ReviewOutcome, ReviewStillNeeded
from tests import builders
from tests.builders import Told, Town


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def file(
    town: Town, told: Told, kind: ReportKind = ReportKind.THREAT, by: Actor | None = None, **also: Any
) -> Report:
    given = {
        "project_id": told.project,
        "milestone_id": told.milestone,
        "details": "What was written.",
        **also,
    }
    return town.act(reports.file, by or town.payer, kind=kind, **given)


def settled(town: Town, report: Report, outcome: ReportOutcome = ReportOutcome.DISMISSED) -> None:
    cora = town.as_staff("cora")
    town.act(reports.settle, cora, report_id=report.id, outcome=outcome, note="Looked into.")


def review_of(town: Town, told: Told) -> RiskReview | None:
    wanted = (
        select(RiskReview).where(RiskReview.milestone_id == told.milestone).order_by(RiskReview.id.desc())
    )
    return town.read(lambda session: session.scalars(wanted).first())


def cleared(town: Town, told: Told, outcome: ReviewOutcome = ReviewOutcome.CLEARED, by: str = "cora") -> None:
    review = review_of(town, told)
    assert review is not None
    town.act(
        risk_reviews.settle, town.as_staff(by), review_id=review.id, outcome=outcome, note="Looked into."
    )


def blocks(town: Town, told: Told) -> list[str]:
    def ask(session: Any) -> list[str]:
        context = open_milestone(session, told.milestone, lock=False)
        return [block.code for block in holds.blocking(release.facts_of(session, context))]

    return town.read(ask)


def status(town: Town, told: Told) -> str:
    return town.read(lambda session: session.get_one(Milestone, told.milestone).status)


def approved(town: Town, told: Told) -> None:
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)


def test_a_threat_opens_a_review_and_nothing_is_released_before_a_person_settled_it(town: Town) -> None:
    told = builders.funded(town)
    report = file(town, told)
    assert blocks(town, told) == ["review"]
    approved(town, told)
    assert status(town, told) == "VERIFIED"
    settled(town, report)
    assert blocks(town, told) == ["review"]
    cleared(town, told)
    assert blocks(town, told) == []
    builders.carry_out(town)
    assert status(town, told) == "COMPLETED"


def test_one_attempt_of_contact_is_noted_and_the_second_opens_a_review(town: Town) -> None:
    told = builders.funded(town)
    file(town, told, ReportKind.OFF_PLATFORM_CONTACT, by=SYSTEM, source=Source.CONTENT_RULE)
    assert review_of(town, told) is None
    file(town, told, ReportKind.OFF_PLATFORM_CONTACT, by=SYSTEM, source=Source.CONTENT_RULE)
    review = review_of(town, told)
    assert review is not None
    assert [reason["code"] for reason in review.reasons] == ["off_platform_contact"]


def test_more_reasons_join_the_review_that_is_open(town: Town) -> None:
    told = builders.funded(town)
    file(town, told)
    flag(town, told)
    reviews = town.read(lambda session: session.scalars(select(RiskReview)).all())
    assert [[reason["code"] for reason in each.reasons] for each in reviews] == [
        ["threat_report", "practice_mismatch"]
    ]


def flag(town: Town, told: Told) -> int:
    states = {"licensed_in": "Oregon", "needed_in": "Texas"}
    return town.act(practice_flags.flag, SYSTEM, project_id=told.project, **states).id


def test_a_review_cannot_be_settled_while_its_causes_stand(town: Town) -> None:
    told = builders.funded(town)
    report, number = file(town, told), flag(town, told)
    with pytest.raises(ReviewStillNeeded) as refused:
        cleared(town, told)
    assert [block.code for block in refused.value.blocks] == ["open_report", "practice_mismatch"]
    settled(town, report)
    with pytest.raises(ReviewStillNeeded):
        cleared(town, told)
    cora = town.as_staff("cora")
    town.act(practice_flags.resolve, cora, flag_id=number, resolution="Admitted in Texas too.")
    cleared(town, told)
    assert blocks(town, told) == []


def test_a_practice_is_flagged_once_and_resolved_once(town: Town) -> None:
    told = builders.funded(town)
    number = flag(town, told)
    with pytest.raises(practice_flags.MismatchFlagged):
        flag(town, told)
    cora = town.as_staff("cora")
    town.act(practice_flags.resolve, cora, flag_id=number, resolution="Admitted there.")
    with pytest.raises(practice_flags.MismatchResolved):
        town.act(practice_flags.resolve, cora, flag_id=number, resolution="Again.")


def test_a_severe_content_event_stops_money_by_itself_until_it_is_settled(town: Town) -> None:
    told = builders.funded(town)
    given = {"source": Source.CONTENT_RULE, "severity": Severity.SEVERE, "milestone_id": None}
    report = file(town, told, ReportKind.OTHER, by=SYSTEM, **given)
    assert blocks(town, told) == ["severe_content_event"]
    approved(town, told)
    assert status(town, told) == "VERIFIED"
    settled(town, report)
    builders.carry_out(town)
    assert status(town, told) == "COMPLETED"


@pytest.mark.parametrize("severity", [Severity.LOW, Severity.MEDIUM])
def test_a_content_event_that_is_not_severe_stops_nothing(town: Town, severity: Severity) -> None:
    told = builders.funded(town)
    file(town, told, ReportKind.OTHER, by=SYSTEM, source=Source.CONTENT_RULE, severity=severity)
    assert blocks(town, told) == []


def test_a_party_cannot_pass_a_report_off_as_a_content_event(town: Town) -> None:
    told = builders.funded(town)
    report = file(town, told, ReportKind.OTHER, source=Source.CONTENT_RULE, severity=Severity.SEVERE)
    assert report.source == "PERSON"
    assert blocks(town, told) == []


def test_what_is_on_its_way_out_waits_for_the_review_and_is_woken_by_it(town: Town) -> None:
    told = builders.funded(town)
    approved(town, told)
    report = file(town, told)

    def blocked(session: Any) -> bool:
        operation = session.scalars(
            select(OutgoingOperation).where(OutgoingOperation.kind == "TRANSFER")
        ).one()
        return dispatch._blocked(session, open_milestone(session, told.milestone), operation, now=town.now)

    def transfer() -> OutgoingOperation:
        wanted = select(OutgoingOperation).where(OutgoingOperation.kind == "TRANSFER")
        return town.read(lambda session: session.scalars(wanted).one())

    assert town.database.run(blocked)
    assert transfer().status == "BLOCKED"
    assert transfer().next_try_at > town.now
    settled(town, report)
    cleared(town, told)
    assert transfer().next_try_at == town.now
    assert not town.database.run(blocked)


def test_a_high_value_is_reviewed_when_it_is_funded_and_only_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as nobody:
        nobody.setattr(builders, "clear_reviews", lambda *_: None)
        told = builders.funded(town, total=Money(9_000_000, "USD"))
    review = review_of(town, told)
    assert review is not None
    assert [reason["code"] for reason in review.reasons] == ["high_value"]
    assert blocks(town, told) == ["review"]
    cleared(town, told)
    file(town, told, ReportKind.OTHER)
    assert blocks(town, told) == []


def test_a_report_before_the_payment_is_considered_when_it_is_paid(town: Town) -> None:
    first = builders.funded(town)
    rest = town.read(
        lambda s: s.scalars(select(Milestone.id).where(Milestone.project_id == first.project)).all()
    )
    later = Told(first.project, max(rest))
    file(town, later, milestone_id=None)
    assert blocks(town, first) == ["review"]
    assert review_of(town, later) is None


def test_held_puts_a_hold_in_the_place_of_the_review(town: Town) -> None:
    told = builders.funded(town)
    settled(town, file(town, told))
    cleared(town, told, ReviewOutcome.HELD)
    assert blocks(town, told) == ["silent_hold"]
    assert town.read(lambda session: session.scalars(select(Hold.kind)).all()) == ["RISK"]


def test_only_compliance_settles(town: Town) -> None:
    told = builders.funded(town)
    report = file(town, told)
    for subject in ("mia", "fay", "ada"):
        with pytest.raises(NotPermitted):
            cleared(town, told, by=subject)
        someone = town.as_staff(subject)
        with pytest.raises(NotPermitted):
            town.act(
                reports.settle, someone, report_id=report.id, outcome=ReportOutcome.UPHELD, note="So it is."
            )
    with pytest.raises(ReasonMissing):
        town.act(
            reports.settle, town.as_staff("cora"), report_id=report.id, outcome=ReportOutcome.UPHELD, note=" "
        )
    settled(town, report)
    with pytest.raises(reports.ReportSettled):
        settled(town, report)
    cleared(town, told)
    with pytest.raises(risk_reviews.ReviewSettled):
        cleared(town, told)


def test_a_review_is_given_to_somebody(town: Town) -> None:
    told = builders.funded(town)
    file(town, told)
    review = review_of(town, told)
    assert review is not None
    cora = town.as_staff("cora")
    town.act(risk_reviews.assign, cora, review_id=review.id, staff_id=town.staff["cora"])
    again = review_of(town, told)
    assert again is not None
    assert again.assigned_to == town.staff["cora"]


def test_only_the_parties_of_a_project_report_about_it_and_say_what_happened(town: Town) -> None:
    told = builders.funded(town)
    stranger = Actor("party", builders.a_party(town, "PAYER", "Eve Stone"))
    with pytest.raises(NotYours):
        file(town, told, by=stranger)
    with pytest.raises(DetailsMissing):
        file(town, told, details="  ")
    with pytest.raises(NotFound):
        file(town, told, milestone_id=10**9)
    with pytest.raises(NotFound):
        file(town, told, project_id=10**9)


def test_the_same_event_of_the_marketplace_is_one_report(town: Town) -> None:
    told = builders.funded(town)
    first, second = (file(town, told, by=SYSTEM, external_id="event-7") for _ in range(2))
    assert first.id == second.id


def test_every_entry_names_the_report_and_its_author_is_told(town: Town) -> None:
    told = builders.funded(town)
    report = file(town, told)
    settled(town, report)
    entries = town.read(
        lambda s: (
            s.execute(
                text("select action from audit_entries where report_id = :id order by id"), {"id": report.id}
            )
            .scalars()
            .all()
        )
    )
    assert entries == ["party:report:file", "staff:report:settle"]
    letters = town.read(
        lambda s: s.execute(
            select(Notification.template, Notification.party_id).where(Notification.template.like("report%"))
        ).all()
    )
    assert sorted(map(tuple, letters)) == [
        ("report_received", town.payer_id),
        ("report_settled", town.payer_id),
    ]


def test_what_was_reported_cannot_be_rewritten_in_sql(town: Town, owner: Database) -> None:
    file(town, builders.funded(town))
    with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
        session.execute(text("update reports set details = 'Nothing'"))


def test_a_hold_may_name_the_report(town: Town) -> None:
    told = builders.funded(town)
    report = file(town, told)
    cora = town.as_staff("cora")
    placed = town.act(
        hold.place, cora, milestone_id=told.milestone, reason="Statements wanted.", report_id=report.id
    )
    assert placed.report_id == report.id
