"""Taking, handing over, stepping back; and asking a party: what the case waits for, and how it goes on by itself."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.actions.cases import conversation, evidence, mediator_assignment, recusal
from core.actions.decisions import confirmation, drafts, recorded_decision
from core.actions.staff import ties
from core.db import Database
from core.errors import ChangedMeanwhile, DeskError, ReasonMissing
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.queries import evidence as exhibits
from core.records import Case, Decision, Handover, Notification, PartyRequest
from core.rules import mediation
from core.rules.permissions import NotPermitted
from core.rules.proposals import ProposalEnded
from core.rules.requests import AnswerAfterDecision, AnswerTimePast, NothingAsked, RequestKind
from tests import builders
from tests.builders import Told, Town


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def ask(town: Town, told: Told, *, hours: float = 24, kind: RequestKind = RequestKind.ANSWER) -> None:
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        case_id=told.case,
        party_id=town.payee_id,
        question="When does the worktop come?",
        answer_due_at=town.now + timedelta(hours=hours),
        kind=kind,
    )


def case(town: Town, told: Told) -> Case:
    return builders.case_of(town, told)


def request_of(town: Town, told: Told) -> PartyRequest:
    wanted = select(PartyRequest).where(PartyRequest.case_id == told.case).order_by(PartyRequest.id.desc())
    return town.read(lambda s: s.scalars(wanted.limit(1)).one())


def hand_in(town: Town, told: Told, home: Path, words: bytes = b"Delivery on Thursday.") -> None:
    town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(home),
        milestone_id=told.milestone,
        file_name="delivery.txt",
        content=words,
    )


# Stepping back


def test_whoever_steps_back_loses_the_case_to_the_next_best_and_never_gets_it_again(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(recusal.recuse, town.as_staff("mia"), case_id=told.case, reason="I know the payer's brother.")
    assert case(town, told).mediator_id == town.staff["max"]
    for who, said in (("mia", "You recused yourself"), ("ada", "Mia Lund recused themselves")):
        with pytest.raises(DeskError, match=f"{said} from this case on 04 March 2026"):
            town.act(
                mediator_assignment.assign,
                town.as_staff(who),
                case_id=told.case,
                staff_id=town.staff["mia"],
            )
    with pytest.raises(recusal.AlreadyRecused):
        town.act(recusal.recuse, town.as_staff("mia"), case_id=told.case, reason="Again.")


def test_when_everybody_steps_back_the_case_waits_in_the_queue(town: Town) -> None:
    told = builders.in_mediation(town)
    for who in ("mia", "max"):
        town.act(recusal.recuse, town.as_staff(who), case_id=told.case, reason="Too close.")
    assert case(town, told).mediator_id is None


def test_stepping_back_from_a_case_of_another_leaves_it_with_them(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(recusal.recuse, town.as_staff("max"), case_id=told.case, reason="We went to school together.")
    assert case(town, told).mediator_id == town.staff["mia"]


def test_stepping_back_needs_a_reason_and_a_role(town: Town) -> None:
    told = builders.in_mediation(town)
    with pytest.raises(ReasonMissing):
        town.act(recusal.recuse, town.as_staff("mia"), case_id=told.case, reason=" ")
    with pytest.raises(NotPermitted):
        town.act(recusal.recuse, town.as_staff("fay"), case_id=told.case, reason="No.")
    assert case(town, told).mediator_id == town.staff["mia"]


def test_the_database_refuses_a_case_to_whoever_recused(town: Town) -> None:
    told = builders.in_mediation(town)
    mia = town.staff["mia"]
    town.act(recusal.recuse, town.as_staff("mia"), case_id=told.case, reason="Too close.")
    with pytest.raises(DBAPIError, match="stepped back"):
        town.database.run(lambda s: s.execute(text("update cases set mediator_id = :id"), {"id": mia}))
    for words in ("update recusals set reason = 'x'", "delete from recusals"):
        with pytest.raises(DBAPIError):
            town.database.run(lambda s, words=words: s.execute(text(words)))


def waiting(town: Town) -> tuple[Told, Decision]:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    return told, builders.decided(town, told)


def test_a_decision_that_waits_falls_with_its_maker_who_does_not_get_it_back(town: Town) -> None:
    told, decision = waiting(town)
    town.act(recusal.recuse, town.as_staff("mia"), case_id=told.case, reason="The payee is my cousin.")
    after = town.read(lambda s: s.get_one(Decision, decision.id))
    assert (after.status, after.check_note) == ("VOIDED", recorded_decision.MAKER_LEFT)
    assert town.read(lambda s: drafts.find(s, town.as_staff("mia"), case_id=told.case)) is None
    for answer in (confirmation.approve, confirmation.send_back):
        given = {"plan_hash": decision.plan_hash} if answer is confirmation.approve else {}
        with pytest.raises(ProposalEnded):
            town.act(answer, town.as_staff("fay"), decision_id=decision.id, note="Seen.", **given)
    letters = town.read(
        lambda s: s.scalars(select(Notification).where(Notification.template == "decision_voided")).all()
    )
    assert [each.staff_id for each in letters] == [town.staff["max"]]
    assert "a draft again" not in letters[0].text
    assert builders.decided(town, told, by="max").status == "AWAITING_APPROVAL"


def test_nobody_steps_back_past_their_waiting_decision_in_sql_and_an_old_one_of_theirs_falls(
    town: Town, owner: Database
) -> None:
    told, decision = waiting(town)
    left = text("insert into recusals (case_id, staff_id, reason, at) values (:t, :s, 'Too close.', now())")
    row = {"t": told.case, "s": town.staff["mia"]}
    with pytest.raises(DBAPIError, match="still waits"), owner.transaction() as session:
        session.execute(left, row)
    with owner.transaction() as session:  # as it could be before the database refused it
        session.execute(text("alter table recusals disable trigger recusals_leave_no_decision"))
        session.execute(left, row)
    with owner.transaction() as session:
        session.execute(text("alter table recusals enable trigger recusals_leave_no_decision"))
    given = {"decision_id": decision.id, "note": "Not like this."}
    assert town.act(confirmation.send_back, town.as_staff("fay"), **given).status == "VOIDED"
    assert town.read(lambda s: drafts.find(s, town.as_staff("mia"), case_id=told.case)) is None


# Taking and handing over


def test_a_case_is_not_given_to_a_colleague_with_a_tie_and_the_refusal_names_them(town: Town) -> None:
    told = builders.in_mediation(town)
    tie = {"staff_id": town.staff["max"], "party_id": town.payer_id, "reason": "Neighbours"}
    town.act(ties.declare_tie, town.as_staff("ada"), **tie)
    give = {"case_id": told.case, "staff_id": town.staff["max"]}
    with pytest.raises(mediation.ColleagueTied, match="Max Adler has a tie"):
        town.act(mediator_assignment.assign, town.as_staff("mia"), **give)
    with pytest.raises(mediation.MediatorTied, match="You have a tie"):
        town.act(mediator_assignment.assign, town.as_staff("max"), **give)


def test_what_the_next_one_should_know_goes_with_the_case(town: Town) -> None:
    told = builders.in_mediation(town)
    note = "The payer calls at noon; the invoice is the heart of it."
    give = {"case_id": told.case, "staff_id": town.staff["max"], "note": note}
    town.act(mediator_assignment.assign, town.as_staff("mia"), **give)
    (left,) = town.read(lambda s: s.scalars(select(Handover)).all())
    assert (left.by_id, left.to_id, left.note) == (town.staff["mia"], town.staff["max"], note)


def test_the_skill_comes_before_the_load_and_the_load_before_the_years() -> None:
    joiner = mediation.Candidate(3, open_cases=9, skills=frozenset({"KITCHEN"}))
    idle, busy = mediation.Candidate(2), mediation.Candidate(1, open_cases=1)
    among = {"payer_id": 1, "payee_id": 2, "skill": "KITCHEN"}
    assert mediation.choose([busy, idle, joiner], **among) is joiner
    assert mediation.choose([busy, idle], **among) is idle
    with pytest.raises(mediation.NoMediatorFree):
        mediation.choose([mediation.Candidate(1, recused=frozenset({7}))], case_id=7, **among)


# Asking a party


@pytest.mark.parametrize("kind", RequestKind)
def test_a_file_answers_both_kinds_of_request(town: Town, tmp_path: Path, kind: RequestKind) -> None:
    told = builders.in_mediation(town)
    ask(town, told, kind=kind)
    hand_in(town, told, tmp_path)
    assert (case(town, told).status, case(town, told).waiting_on) == ("UNDER_REVIEW", None)
    assert (request_of(town, told).status, request_of(town, told).ended_at) == ("ANSWERED", town.now)


def test_words_are_no_document(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    ask(town, told, kind=RequestKind.DOCUMENT)
    town.act(conversation.say, town.payee, milestone_id=told.milestone, body="I shall look for it.")
    assert case(town, told).status == "WAITING_PARTY"
    hand_in(town, told, tmp_path)
    assert case(town, told).status == "UNDER_REVIEW"


def test_the_file_that_was_there_already_is_an_answer_too(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    hand_in(town, told, tmp_path)
    ask(town, told, kind=RequestKind.DOCUMENT)
    hand_in(town, told, tmp_path)
    assert request_of(town, told).status == "ANSWERED"


def test_the_other_party_answers_for_nobody(town: Town) -> None:
    told = builders.in_mediation(town)
    ask(town, told)
    town.act(conversation.say, town.payer, milestone_id=told.milestone, body="I wait too.")
    assert case(town, told).status == "WAITING_PARTY"


def test_staff_may_go_on_without_the_answer_once(town: Town) -> None:
    told = builders.in_mediation(town)
    ask(town, told)
    town.act(conversation.stop_waiting, town.as_staff("mia"), case_id=told.case)
    assert (case(town, told).status, request_of(town, told).status) == ("UNDER_REVIEW", "WITHDRAWN")
    with pytest.raises(NothingAsked):
        town.act(conversation.stop_waiting, town.as_staff("mia"), case_id=told.case)
    with pytest.raises(NotPermitted):
        town.act(conversation.stop_waiting, town.as_staff("fay"), case_id=told.case)


def test_no_time_to_answer_outlasts_the_time_to_decide(town: Town, owner: Database) -> None:
    told = builders.in_mediation(town)
    decide_by = case(town, told).decision_due_at
    assert decide_by
    until = (decide_by - town.now) / timedelta(hours=1)
    with pytest.raises(AnswerAfterDecision):
        ask(town, told, hours=until + 1 / 3600)
    ask(town, told, hours=24)
    assert case(town, told).due_at == town.now + timedelta(hours=24)
    town.act(conversation.stop_waiting, town.as_staff("mia"), case_id=told.case)
    ask(town, told, hours=until)
    assert case(town, told).due_at == case(town, told).answer_due_at == decide_by
    for wrong in (
        "answer_due_at = answer_due_at + interval '1 s'",
        "decision_due_at = now() - interval '9 y'",
    ):
        with pytest.raises(IntegrityError), owner.transaction() as session:
            session.execute(text(f"update cases set {wrong} where id = {told.case}"))


def test_once_the_time_to_decide_is_over_and_the_case_escalated_a_party_can_still_be_asked(
    town: Town,
) -> None:
    told = builders.in_mediation(town)
    town.wait(days=8)
    town.database.run(lambda s: mediator_assignment.escalate(s, now=town.now, case_id=told.case))
    ask(town, told, hours=24)
    assert case(town, told).status == "WAITING_PARTY"


def test_taking_a_case_says_from_whom_and_whoever_loses_it_is_told(town: Town) -> None:
    told = builders.in_mediation(town)
    max_, mia = town.staff["max"], town.staff["mia"]
    given = {"case_id": told.case, "staff_id": max_}
    with pytest.raises(ChangedMeanwhile, match="Mia Lund's now"):
        town.act(mediator_assignment.assign, town.as_staff("max"), taken_from=None, **given)
    town.act(mediator_assignment.assign, town.as_staff("max"), taken_from=mia, **given)
    taken = town.read(
        lambda s: s.scalars(select(Notification).where(Notification.template == "case_taken")).one()
    )
    assert (taken.staff_id, "to Max" in taken.text) == (mia, True)


def test_an_answer_cannot_be_due_in_the_past_or_now(town: Town) -> None:
    told = builders.in_mediation(town)
    for hours in (-1.0, 0.0):
        with pytest.raises(AnswerTimePast):
            ask(town, told, hours=hours)
    assert case(town, told).status == "UNDER_REVIEW"


def test_a_decided_case_wants_no_answer_any_more(town: Town) -> None:
    told = builders.in_mediation(town)
    ask(town, told)
    builders.decided(town, told)
    assert (request_of(town, told).status, request_of(town, told).ended_at) == ("WITHDRAWN", town.now)


def test_what_was_asked_stays_as_it_was_even_in_sql(town: Town) -> None:
    told = builders.in_mediation(town)
    ask(town, told)
    for words in ("update party_requests set question = 'x'", "update party_requests set due_at = now()"):
        with pytest.raises(DBAPIError):
            town.database.run(lambda s, words=words: s.execute(text(words)))
    town.act(conversation.stop_waiting, town.as_staff("mia"), case_id=told.case)
    with pytest.raises(DBAPIError):
        town.database.run(lambda s: s.execute(text("update party_requests set status = 'ANSWERED'")))


# What an e-mail carries


def test_the_files_of_an_email_become_exhibits_beside_it(town: Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    letter = EmailMessage()
    letter["From"] = "m@example.org"
    letter.set_content("See the file.")
    letter.add_attachment(b"Delivery on Thursday.", maintype="text", subtype="plain", filename="when.txt")
    give = {"store": EvidenceStore(tmp_path), "milestone_id": told.milestone}
    town.act(evidence.submit, town.payee, file_name="mail.eml", content=letter.as_bytes(), **give)
    town.act(evidence.submit, town.payee, file_name="mail.eml", content=letter.as_bytes(), **give)
    pieces = town.read(lambda s: exhibits.evidence(s, told.milestone, staff_id=None))
    assert [(each.file_name, each.caption) for each in pieces] == [
        ("mail.eml", ""),
        ("when.txt", "Attached to mail.eml"),
    ]
