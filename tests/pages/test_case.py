"""One case on screen: what each role sees, and a decision from the first choice to its execution."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core.actions.cases import disputes, evidence
from core.actions.decisions import confirmation
from core.actions.risk import holds
from core.actions.staff import ties
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.records import Decision, Message, Milestone
from core.rules.grounds import DecisionOutcome, Ground, Reference
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.visiting import labels, serve, visit, words

TABS = ("Evidence", "Timeline", "Messages", "Terms", "Money", "Parties")


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


def decided(town: Town) -> Decision | None:
    return town.read(lambda s: s.scalars(select(Decision).order_by(Decision.id.desc())).first())


def fill(app: AppTest, told: Told, *, outcome: DecisionOutcome, share: str = "", ground: Ground) -> AppTest:
    """Choose and write everything that a preview needs."""

    def field(name: str) -> str:
        return f"draft-{told.case}-{name}"

    app.button_group(key=field("outcome")).set_value(outcome).run()
    if share:
        app.text_input(key=field("share")).set_value(share).run()
    app.selectbox(key=field("ground")).set_value(ground).run()
    app.text_area(key=field("reasons")).set_value(builders.REASONS).run()
    for reference in Reference:
        if reference is not Reference.RESOLUTION_NOTES:
            app.checkbox(key=field(f"cites-{reference.value}")).check()
    return app.run()


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("subject", PEOPLE)
def test_every_role_can_read_every_tab(town: Town, subject: str, tab: str) -> None:
    told = builders.in_mediation(town)
    app = visit(town, subject, "case", id=told.case, tab=tab)
    assert f"D-{told.case} · " in app.title[0].value.replace("\\", "")
    assert ("Preview plan" in labels(app)) == (subject in ("mia", "max"))


def test_a_case_that_does_not_exist_says_where_to_look(town: Town) -> None:
    assert "There is no case D-4711" in words(visit(town, "mia", "case", id=4711))
    assert "There is no such case" in words(visit(town, "mia", "case"))


def test_the_head_tells_the_three_axes_and_every_amount(town: Town) -> None:
    told = builders.in_mediation(town)
    shown = words(visit(town, "mia", "case", id=told.case))
    for expected in ("In mediation", "Held", "Under review", "Mia Lund", "in 6 days", "Platform fee"):
        assert expected in shown


def test_the_timeline_tells_authors_and_audience(town: Town) -> None:
    told = builders.in_mediation(town)
    shown = words(visit(town, "mia", "case", id=told.case, tab="Timeline"))
    for expected in (
        "Paid, and held",
        "Dispute opened",
        "Ana Lindqvist · payer · visible to the parties",
        "visible to staff only",
        "J-",
    ):
        assert expected in shown


def test_outsiders_words_stay_words(town: Town) -> None:
    told = builders.disputed(town, title="![x](http://evil.example/x.png) <b>bold</b>")
    town.act(disputes.explain, town.payer, milestone_id=told.milestone, details="<script>alert(1)</script>")
    for tab in TABS:
        app = visit(town, "mia", "case", id=told.case, tab=tab)
        raw = " ".join(
            str(each.value) for kind in (app.html, app.markdown, app.caption, app.title) for each in kind
        )
        assert "<script>" not in raw
        assert "<b>bold" not in raw
        assert "![x](http" not in " ".join(
            str(each.value) for kind in (app.markdown, app.caption) for each in kind
        )


def test_a_message_reaches_the_parties_or_only_staff(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case, tab="Messages")
    app.button_group(key="answer-audience").set_value("STAFF").run()
    app.text_area(key=f"case.{told.case}.message").set_value("The payer was reached by phone.").run()
    press(app, "Send")
    last = town.read(lambda s: s.scalars(select(Message).order_by(Message.id.desc())).first())
    assert last is not None
    assert (last.body, last.audience) == ("The payer was reached by phone.", "STAFF")


def test_a_hold_blocks_and_says_why(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report came in.")
    shown = words(visit(town, "mia", "case", id=told.case))
    assert "Nothing can be released now" in shown
    assert "A report came in" in shown


def test_a_tie_keeps_the_form_away(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(
        ties.declare_tie,
        town.as_staff("max"),
        staff_id=town.staff["max"],
        party_id=town.payer_id,
        reason="Neighbour",
    )
    app = visit(town, "max", "case", id=told.case)
    assert "Preview plan" not in labels(app)
    assert "You have a tie" in words(app)


def test_between_the_parties_there_is_no_form_yet(town: Town) -> None:
    told = builders.disputed(town)
    app = visit(town, "mia", "case", id=told.case)
    assert "Preview plan" not in labels(app)
    assert "Mediation starts automatically" in words(app)


def test_both_nets_follow_what_is_typed(town: Town) -> None:
    told = builders.in_mediation(town)
    held = town.read(lambda s: s.get_one(Milestone, told.milestone)).amount_minor
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.PARTIAL_RELEASE, share="100", ground=Ground.PARTIAL_WORK)
    shown = words(app)
    assert "$100.00" in shown
    assert Money(held - 10_000, "USD").text() in shown
    app.text_input(key=f"draft-{told.case}-share").set_value("99999999").run()
    assert "is more than the" in words(app)


def test_a_percentage_is_a_share_too(town: Town) -> None:
    told = builders.in_mediation(town)
    held = Money(town.read(lambda s: s.get_one(Milestone, told.milestone)).amount_minor, "USD")
    app = visit(town, "mia", "case", id=told.case)
    app.button_group(key=f"draft-{told.case}-outcome").set_value(DecisionOutcome.PARTIAL_RELEASE).run()
    app.button_group(key=f"draft-{told.case}-by").set_value("%").run()
    app.text_input(key=f"draft-{told.case}-share").set_value("62.5 %").run()
    assert held.portion(6250).text() in words(app)


@pytest.mark.parametrize(
    ("share", "sentence"),
    [
        ("", "Choose the share"),
        ("abc", "is not an amount"),
        ("-5", "is negative"),
        ("1.234", "read in two ways"),
        ("1.2345", "more digits"),
    ],
)
def test_what_cannot_be_an_amount_is_said_at_once(town: Town, share: str, sentence: str) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    app.button_group(key=f"draft-{told.case}-outcome").set_value(DecisionOutcome.PARTIAL_RELEASE).run()
    app.text_input(key=f"draft-{told.case}-share").set_value(share).run()
    assert sentence in words(app)


def test_only_grounds_that_fit_the_outcome_are_offered(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    app.button_group(key=f"draft-{told.case}-outcome").set_value(DecisionOutcome.FULL_RELEASE).run()
    assert app.selectbox(key=f"draft-{told.case}-ground").options == ["Work delivered"]


def test_what_is_missing_is_said_and_nothing_typed_is_lost(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    app.text_area(key=f"draft-{told.case}-reasons").set_value("Half of it was done, the rest was not.").run()
    press(app, "Preview plan")
    assert "Choose an outcome first" in words(app)
    assert app.text_area(key=f"draft-{told.case}-reasons").value == "Half of it was done, the rest was not."


def test_the_preview_shows_the_plan_and_one_confirmation_carries_it_out(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.PARTIAL_RELEASE, share="400", ground=Ground.PARTIAL_WORK)
    press(app, "Preview plan")
    shown = words(app)
    for expected in (
        "Plan hash",
        f"held:{told.milestone}",
        "Sum",
        "$400.00",
        "The mediator",
    ):
        assert expected in shown
    assert any("/v1/refunds" in each.value and "Idempotency-Key" in each.value for each in app.code)
    assert decided(town) is None
    press(app, "Confirm decision")
    made = decided(town)
    assert made is not None
    assert (made.status, made.release_minor) == ("EXECUTED", 40_000)
    assert "Carried out" in words(app)
    builders.carry_out(town)
    after = words(visit(town, "mia", "case", id=told.case))
    assert "Succeeded" in after
    assert "Completed" in after
    assert "Next: " in after
    assert town.read(lambda s: s.scalar(select(func.count()).select_from(Decision))) == 1


def test_a_colleague_who_was_faster_is_named_and_the_draft_stays(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.PARTIAL_RELEASE, share="400", ground=Ground.PARTIAL_WORK)
    press(app, "Preview plan")
    builders.decided(town, told, by="max")
    press(app, "Confirm decision")
    shown = words(app)
    assert "was decided in the meantime: full release by Max Adler" in shown
    assert "your draft is kept" in shown


def test_a_change_meanwhile_is_said(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    press(app, "Preview plan")
    hand_in(town, told, tmp_path)
    press(app, "Confirm decision")
    assert "changed while you were looking at it" in words(app)
    assert decided(town) is None


def test_an_old_sign_in_is_asked_to_confirm_first(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    town.wait(minutes=6)
    press(app, "Preview plan")
    assert "Confirm decision" not in labels(app)
    press(app, "I am Mia Lund")
    assert "Confirm decision" in labels(app)


def hand_in(town: Town, told: Told, home: Path) -> None:
    town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(home),
        milestone_id=told.milestone,
        file_name="delivery.txt",
        content=b"The worktop came on Thursday.",
    )


def test_evidence_that_was_not_opened_or_cited_is_pointed_out(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    hand_in(town, told, tmp_path)
    shown = words(visit(town, "mia", "case", id=told.case))
    assert "Not opened by you: delivery.txt." in shown
    assert "1 of 1 pieces of evidence are not cited." in shown


def waiting(town: Town) -> tuple[Told, Decision]:
    """A decision above the threshold."""
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    return told, builders.decided(town, told)


def test_above_the_threshold_a_second_person_approves(town: Town) -> None:
    told, _ = waiting(town)
    maker = visit(town, "mia", "case", id=told.case)
    assert "someone else must approve it" in words(maker)
    assert "Review plan" not in labels(maker)
    app = visit(town, "fay", "case", id=told.case)
    press(app, "Review plan")
    assert "Plan hash" in words(app)
    press(app, "Approve")
    made = decided(town)
    assert made is not None
    assert (made.status, made.checker_id) == ("EXECUTED", town.staff["fay"])


def test_sending_back_takes_a_note_and_gives_the_form_back(town: Town) -> None:
    told, _ = waiting(town)
    app = visit(town, "ada", "case", id=told.case)
    press(app, "Review plan")
    press(app, "Return to mediator")
    assert "Give a reason" in words(app)
    app.text_area(key="approval-note").set_value("Look at the invoice again.").run()
    press(app, "Return to mediator")
    again = visit(town, "mia", "case", id=told.case)
    assert "Ada Berg sent the full release back: Look at the invoice again." in words(again)
    assert "Preview plan" in labels(again)


def test_new_evidence_returns_the_decision_before_anybody_approves_it(town: Town, tmp_path: Path) -> None:
    told, _ = waiting(town)
    hand_in(town, told, tmp_path)
    app = visit(town, "fay", "case", id=told.case)
    assert "is void. New evidence came in after the decision" in words(app)
    assert "Review plan" not in labels(app)
    made = decided(town)
    assert made is not None
    assert made.status == "VOIDED"


def test_an_administrator_decides_once_it_is_escalated(town: Town) -> None:
    from core.actions.cases import mediator_assignment

    told = builders.in_mediation(town)
    assert "Administrators decide a case once it is escalated." in words(
        visit(town, "ada", "case", id=told.case)
    )
    town.database.run(lambda s: mediator_assignment.escalate(s, now=town.now, case_id=told.case))
    assert "Preview plan" in labels(visit(town, "ada", "case", id=told.case))


def test_the_plan_that_is_confirmed_is_the_plan_that_was_shown(town: Town) -> None:
    told = builders.in_mediation(town)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    press(app, "Preview plan")
    expected, _ = town.act(confirmation.preview, town.as_staff("mia"), draft=builders.a_draft(told))
    assert expected.hash in words(app)
