"""The second person's queue: who sees it, what it tells of the maker, and both answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation, evidence, recusal
from core.actions.decisions import confirmation
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.queries import approvals
from core.records import Decision, StaffTie
from core.rules.mediation import YouAreRecused
from core.rules.permissions import TABLE, Permission
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.database import as_owner
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def waiting(town: Town, **also: object) -> tuple[Told, Decision]:
    """A decision above the threshold."""
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"), **also)
    return told, builders.decided(town, told)


def the(town: Town, decision: Decision) -> Decision:
    return town.read(lambda s: s.get_one(Decision, decision.id))


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


@pytest.mark.parametrize("subject", PEOPLE)
def test_the_queue_is_for_those_who_may_approve(town: Town, subject: str) -> None:
    told, _ = waiting(town)
    app = visit(town, subject, "approvals", id=told.case)
    if PEOPLE[subject][1] not in TABLE[Permission.APPROVE_DECISION]:
        assert "This page is not for your role" in words(app)
        return
    assert app.dataframe[0].value["reference"].tolist() == [f"D-{told.case}"]
    assert ("Review plan" in labels(app)) == (subject != "mia")


def test_nothing_waits_and_the_page_says_so(town: Town) -> None:
    assert "No decision waits for approval" in words(visit(town, "fay", "approvals"))


def test_the_longest_waiting_comes_first_and_the_makers_own_is_not_counted_as_theirs(town: Town) -> None:
    first, _ = waiting(town)
    town.wait(hours=3)
    second, _ = waiting(town, title="New roof")
    rows = town.read(lambda s: approvals.page(s, me=town.staff["mia"]))
    assert [row.id for row in rows] == [first.case, second.case]
    assert [row.open_to(town.staff["mia"]) for row in rows] == [False, False]
    counted = {who: town.read(lambda s, w=who: approvals.figures(s, me=town.staff[w])) for who in PEOPLE}
    assert (counted["mia"].waiting, counted["mia"].yours) == (2, 0)
    assert (counted["fay"].waiting, counted["fay"].yours) == (2, 2)
    assert counted["fay"].stakes == (rows[0].moved + rows[1].moved,)


def test_whoever_stepped_back_is_offered_no_answer_and_the_maker_is_told_what_stepping_back_does(
    town: Town,
) -> None:
    told, decision = waiting(town)
    town.act(recusal.recuse, town.as_staff("max"), case_id=told.case, reason="A neighbour.")
    assert town.read(lambda s: approvals.figures(s, me=town.staff["max"])).yours == 0
    app = visit(town, "max", "approvals", id=told.case)
    assert app.dataframe[0].value["yours"].tolist() == ["Recused"]
    assert "You recused yourself from this case, so someone else must approve it." in words(app)
    assert not {"Review plan", "Withdraw decision"} & set(labels(app))
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash}
    with pytest.raises(YouAreRecused):
        town.act(confirmation.approve, town.as_staff("max"), **given)
    mine = visit(town, "mia", "case", id=told.case)
    mine.button(key="case-step-back").click().run()
    assert "The decision that you made becomes void" in words(mine)
    mine.text_area(key=f"case.{told.case}.recusal").set_value("The payee is my cousin.").run()
    mine.button(key="recuse").click().run()
    assert not mine.exception
    assert "It waits in the queue, unassigned." in words(mine)
    assert [each.label for each in visit(town, "ada", "case", id=told.case).expander] == [
        "What Mia Lund wrote"
    ]
    assert the(town, decision).status == "VOIDED"
    assert "No decision waits for approval" in words(visit(town, "fay", "approvals"))


def test_whoever_is_tied_to_a_party_sees_why_they_cannot_answer(town: Town) -> None:
    told, _ = waiting(town)
    tie = StaffTie(staff_id=town.staff["fay"], party_id=town.payer_id, reason="Cousin", declared_at=town.now)
    with as_owner(town.database) as session:
        session.add(tie)
    app = visit(town, "fay", "approvals", id=told.case)
    assert "You have a tie to a party of this case" in words(app)
    assert "Review plan" not in labels(app)


def test_it_tells_what_the_maker_opened_and_what_came_since(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    store = EvidenceStore(tmp_path)

    def hand_in(name: str) -> int:
        piece = town.act(
            evidence.submit,
            town.payee,
            store=store,
            milestone_id=told.milestone,
            file_name=name,
            content=f"About {name}.".encode(),
        )
        return piece.id

    opened, _ = hand_in("opened.txt"), hand_in("unopened.txt")
    town.act(evidence.open_evidence, town.as_staff("mia"), store=store, evidence_id=opened)
    town.wait(minutes=1)
    made = builders.decided(town, told)
    town.wait(minutes=1)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="Wait, there is <b>more</b>.")
    shown = words(visit(town, "fay", "approvals", id=told.case))
    hand_in("late.txt")
    seen = town.read(lambda s: approvals.maker_view(s, s.get_one(Decision, made.id)))
    assert [(e.file_name, e.opened_at is not None, e.since) for e in seen.evidence] == [
        ("opened.txt", True, False),
        ("unopened.txt", False, False),
        ("late.txt", False, True),
    ]
    assert (seen.unopened, [each.body for each in seen.since]) == (1, ["Wait, there is <b>more</b>."])
    assert "1 of 2 pieces of evidence opened" in shown
    assert "&lt;b&gt;more&lt;/b&gt;" in shown
    assert "<b>more" not in shown
    # Evidence that comes in later returns the decision at once.
    assert "Nothing waits for a second person" in words(visit(town, "fay", "approvals", id=told.case))


def test_the_second_person_approves_here(town: Town) -> None:
    told, made = waiting(town)
    app = press(visit(town, "fay", "approvals", id=told.case), "Review plan")
    assert made.plan_hash in words(app)
    press(app, "Approve")
    assert (the(town, made).status, the(town, made).checker_id) == ("EXECUTED", town.staff["fay"])
    assert "Approved and posted" in words(app)


def test_or_sends_it_back_with_a_note(town: Town) -> None:
    told, made = waiting(town)
    app = press(visit(town, "max", "approvals", id=told.case), "Review plan")
    app.text_area(key="approval-note").set_value("The invoice is missing.").run()
    press(app, "Return to mediator")
    assert (the(town, made).status, the(town, made).check_note) == ("RETURNED", "The invoice is missing.")
    assert "Returned to Mia Lund." in words(app)
