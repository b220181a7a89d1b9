"""What else comes from the marketplace, over HTTP: reports, practices, reviews, offers, answers, sessions, letters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.actions.cases import conversation
from core.actions.decisions.recorded_decision import AlreadyDecided
from core.actions.payouts import method_offers
from core.actions.risk import holds, practice_flags, reports, risk_reviews
from core.api.http.problem_details import for_outsiders
from core.api.models import requests
from core.audit.entries import ADDRESS, PersonalDataInAudit
from core.db import Database
from core.money import Money
from core.policy import WithdrawalMethod
from core.records import Case, Hold, Message, Payout, RiskReview
from core.rules.acceptance import AcceptanceRule
from core.rules.cases import OF_THE_PAYER
from core.rules.holds import ActiveHold, Facts, HoldKind, OpenCase, ReleaseBlocked, blocking
from core.rules.reports import ReportOutcome
from core.rules.requests import RequestKind
from core.rules.risk import ReviewOutcome
from tests import builders
from tests.api.api_client import ApiClient, code
from tests.api.test_flows import BY_PAYEE, PARTS, bid, disputed, funded, submitted
from tests.builders import NOW
from tests.db_snapshot import nothing_changes

SECRET_WORDS = "Write to ana.l+kitchen@example.com or call +1 503 555 0147, Elm Street 12."
ENTRIES = text("select action, reason, before, after from audit_entries")


def project_of(home: ApiClient, path: str) -> str:
    return f"/projects/{home.get(path).json()['project']}"


def mediated(home: ApiClient) -> tuple[str, int]:
    """A case before a mediator: the milestone's path and the dispute."""
    path = disputed(home)
    return path, int(home.post(f"{path}/mediation", {"party": home.payer}).json()["dispute"])


# Reports, content events, practices


def test_a_party_reports_the_other_and_reads_what_came_of_it(home: ApiClient) -> None:
    _, path = funded(home)
    project = project_of(home, path)
    said = {"party": home.payer, "kind": "HARASSMENT", "details": SECRET_WORDS, "external_id": "r-1"}
    answer = home.post(f"{project}/reports", said)
    report = answer.json()
    assert (answer.status_code, report["source"], report["party"]) == (201, "PERSON", home.payer), answer.text
    assert home.post(f"{project}/reports", said).json()["id"] == report["id"]
    other = home.post(f"{project}/reports", said | {"kind": "THREAT"})
    assert (other.status_code, code(other)) == (409, "report_known_otherwise")
    assert other.json()["facts"]["fields"] == ["kind"]
    home.market.act(
        reports.settle,
        home.market.as_staff("cora"),
        report_id=report["id"],
        outcome=ReportOutcome.UPHELD,
        note="Seen.",
    )
    after = home.get(f"/reports/{report['id']}").json()
    assert (after["outcome"], after["settled_at"] is None) == ("UPHELD", False)


def test_a_severe_content_event_stops_the_release_until_staff_settled_it(home: ApiClient) -> None:
    path = submitted(home)
    event = {
        "external_id": "cre-1",
        "kind": "THREAT",
        "severity": "SEVERE",
        "details": "Rule 7.",
        "milestone": int(path.rpartition("/")[2]),
    }
    answer = home.post(f"{project_of(home, path)}/content-events", event)
    assert (answer.status_code, answer.json()["source"]) == (201, "CONTENT_RULE"), answer.text
    home.post(f"{path}/approve", {"party": home.payer})
    home.market.work()
    assert home.get(path).json()["payment"]["held"]["minor"] == 100_000
    elsewhere = home.post(f"{project_of(home, path)}/content-events", event | {"milestone": 9_999})
    assert (elsewhere.status_code, code(elsewhere)) == (404, "not_found")


def test_a_practice_of_another_state_is_flagged_and_resolved(law: ApiClient) -> None:
    law.market.newcomers(platform="legal_services")
    project = law.post("/bids", bid(law, project_type="DOCUMENT_REVIEW")).json()
    path = f"/projects/{project['id']}/practice-flags"
    states = {"licensed_in": "Oregon", "needed_in": "Texas"}
    flag = law.post(path, states).json()
    again = law.post(path, states)
    assert (again.status_code, code(again)) == (409, "mismatch_flagged")
    answer = law.post(f"/practice-flags/{flag['id']}/resolve", {"resolution": SECRET_WORDS})
    assert (answer.status_code, answer.json()["resolved_at"] is None) == (200, False), answer.text
    assert law.get(f"/practice-flags/{flag['id']}").json() == answer.json()
    twice = law.post(f"/practice-flags/{flag['id']}/resolve", {"resolution": "Again."})
    assert (twice.status_code, code(twice)) == (409, "mismatch_resolved")
    law.market.lawful()


def test_what_staff_flagged_is_for_staff_to_resolve(home: ApiClient, owner: Database) -> None:
    project, _ = funded(home)
    states = {"licensed_in": "Oregon", "needed_in": "Texas"}
    cora = home.market.as_staff("cora")
    flag = home.market.act(practice_flags.flag, cora, project_id=project["id"], **states)
    with nothing_changes(owner):
        answer = home.post(f"/practice-flags/{flag.id}/resolve", {"resolution": "It is fine."})
        assert (answer.status_code, code(answer)) == (403, "not_permitted")


def test_a_resolved_practice_still_waits_for_staff_to_end_the_review(home: ApiClient) -> None:
    project, path = funded(home)
    flag = home.post(
        f"/projects/{project['id']}/practice-flags", {"licensed_in": "Oregon", "needed_in": "Texas"}
    )
    (review,) = home.market.all(RiskReview)
    home.post(f"/practice-flags/{flag.json()['id']}/resolve", {"resolution": "Admitted there."})
    home.post(f"{path}/complete", {"party": home.payee})
    home.post(f"{path}/approve", {"party": home.payer})
    home.market.work()
    assert home.get(path).json()["payment"]["held"]["minor"] == 100_000
    settled = {"review_id": review.id, "outcome": ReviewOutcome.CLEARED, "note": "Checked."}
    home.market.act(risk_reviews.settle, home.market.as_staff("cora"), **settled)
    home.market.work()
    assert home.get(path).json()["payment"]["released"]["minor"] == 100_000


# Reviews and ratings


def completed(home: ApiClient) -> str:
    """A project of one milestone that is done."""
    project = home.post("/bids", bid(home, "short", total={"minor": 100, "currency": "USD"})).json()
    whole = [{"title": "All", "deliverable": "As drawn.", "amount": {"minor": 100, "currency": "USD"}}]
    path = f"/projects/{project['id']}"
    home.post(f"{path}/milestones", {"party": home.payer, "milestones": whole})
    for part in PARTS:
        who = home.payee if part in BY_PAYEE else home.payer
        project = home.post(f"{path}/engagement", {"party": who, "part": part}).json()
    number = project["milestones"][0]["id"]
    home.post(f"{path}/fund", {"party": home.payer, "milestones": [number]})
    home.market.work()
    home.post(f"/milestones/{number}/complete", {"party": home.payee})
    home.post(f"/milestones/{number}/approve", {"party": home.payer})
    home.market.work()
    assert home.get(path).json()["status"] == "COMPLETED"
    return path


def test_both_sides_review_and_their_words_are_hidden_until_both_have(home: ApiClient) -> None:
    path = completed(home)
    first = home.post(f"{path}/reviews", {"party": home.payer, "stars": 4, "body": SECRET_WORDS})
    assert first.status_code == 201, first.text
    assert [(each["author"], each["stars"], each["body"]) for each in first.json()["reviews"]] == [
        (home.payer, None, None)
    ]
    again = home.post(f"{path}/reviews", {"party": home.payer, "stars": 5})
    assert (again.status_code, code(again)) == (409, "reviewed_already")
    assert home.get(f"/parties?external_id={home.payee}").json()["items"][0]["rating"] is None

    both = home.post(f"{path}/reviews", {"party": home.payee, "stars": 5}).json()
    assert both["opened_at"] is not None
    assert [(each["about"], each["stars"]) for each in both["reviews"]] == [(home.payee, 4), (home.payer, 5)]
    assert {each["party"]: each["tenths"] for each in both["ratings"]} == {home.payer: 50, home.payee: 40}
    assert home.get(f"{path}/reviews").json() == both
    rating = home.get(f"/parties?external_id={home.payee}").json()["items"][0]["rating"]
    assert (rating["tenths"], rating["reviews"]) == (40, 1)


def test_one_review_is_opened_when_the_time_is_up_and_then_none_is_added(home: ApiClient) -> None:
    path = completed(home)
    home.post(f"{path}/reviews", {"party": home.payee, "stars": 2, "body": "Late payer."})
    home.market.later(days=14)
    opened = home.get(f"{path}/reviews").json()
    assert [each["body"] for each in opened["reviews"]] == ["Late payer."]
    late = home.post(f"{path}/reviews", {"party": home.payer, "stars": 5})
    assert (late.status_code, code(late)) == (409, "reviews_closed")


def test_nothing_is_reviewed_before_it_is_complete(home: ApiClient) -> None:
    project, _ = funded(home)
    for answer in (
        home.post(f"/projects/{project['id']}/reviews", {"party": home.payer, "stars": 5}),
        home.get(f"/projects/{project['id']}/reviews"),
    ):
        assert (answer.status_code, code(answer)) == (409, "not_asked")


# Offers


def offered(home: ApiClient, minor: int = 70_000, party: str = "") -> tuple[str, dict[str, Any]]:
    path = disputed(home)
    dispute = home.get(path).json()["dispute"]
    said = {
        "party": party or home.payee,
        "release": {"minor": minor, "currency": "USD"},
        "note": SECRET_WORDS,
    }
    answer = home.post(f"/disputes/{dispute}/settlement-proposals", said)
    assert answer.status_code == 201, answer.text
    return path, dict(answer.json())


def test_an_offer_that_is_accepted_moves_the_money_and_ends_the_dispute(home: ApiClient) -> None:
    path, offer = offered(home)
    assert (offer["release"]["minor"], offer["refund"]["minor"], offer["status"]) == (70_000, 30_000, "OPEN")
    own = home.post(f"/settlement-proposals/{offer['id']}/accept", {"party": home.payee})
    assert (own.status_code, code(own)) == (403, "settlement_proposal_not_yours")
    assert own.json()["facts"] == {"settlement_proposal": offer["id"], "proposed_by": offer["proposed_by"]}
    accepted = home.post(f"/settlement-proposals/{offer['id']}/accept", {"party": home.payer})
    assert (accepted.status_code, accepted.json()["status"]) == (200, "ACCEPTED"), accepted.text
    home.market.work()
    done = home.get(path).json()
    assert (done["payment"]["released"]["minor"], done["payment"]["refunded"]["minor"]) == (70_000, 30_000)
    assert home.get(f"/disputes/{done['dispute']}").json()["resolution"] == "AGREED"
    home.market.lawful()


@pytest.mark.parametrize(
    ("reply", "by", "status"), [("decline", "payer", "DECLINED"), ("withdraw", "payee", "WITHDRAWN")]
)
def test_an_offer_is_declined_or_withdrawn_once(home: ApiClient, reply: str, by: str, status: str) -> None:
    _, offer = offered(home)
    party, other = (home.payer, home.payee) if by == "payer" else (home.payee, home.payer)
    wrong = home.post(f"/settlement-proposals/{offer['id']}/{reply}", {"party": other})
    assert (wrong.status_code, code(wrong)) == (403, "settlement_proposal_not_yours")
    assert (
        home.post(f"/settlement-proposals/{offer['id']}/{reply}", {"party": party}).json()["status"] == status
    )
    twice = home.post(f"/settlement-proposals/{offer['id']}/{reply}", {"party": party})
    assert (twice.status_code, code(twice)) == (409, "illegal_move")
    listed = home.get(f"/disputes/{offer['dispute']}/settlement-proposals").json()["items"]
    assert [(each["id"], each["status"]) for each in listed] == [(offer["id"], status)]


def test_a_settlement_proposal_stands_for_its_time_and_not_beyond_what_is_held(home: ApiClient) -> None:
    path, offer = offered(home, 0, home.payer)
    more = {"party": home.payee, "release": {"minor": 100_001, "currency": "USD"}}
    answer = home.post(f"/disputes/{offer['dispute']}/settlement-proposals", more)
    assert (answer.status_code, code(answer)) == (422, "more_than_held")
    home.market.wait(days=3)
    late = home.post(f"/settlement-proposals/{offer['id']}/accept", {"party": home.payee})
    assert (late.status_code, code(late)) == (409, "settlement_proposal_expired")
    assert home.get(path).json()["status"] == "DISPUTED"


def test_why_staff_holds_and_who_decided_is_not_told_outside(home: ApiClient) -> None:
    path, offer = offered(home)
    number = int(path.rpartition("/")[2])
    cora = home.market.as_staff("cora")
    placed = home.market.act(holds.place, cora, milestone_id=number, reason="We think that he is a fraud.")
    refused = home.post(f"/settlement-proposals/{offer['id']}/accept", {"party": home.payer})
    assert (refused.status_code, code(refused)) == (409, "release_blocked"), refused.text
    assert refused.json()["facts"]["blocks"] == [{"code": "hold"}]
    assert "fraud" not in refused.text
    home.market.act(holds.lift, home.market.as_staff("ada"), hold_id=placed.id, reason="Not so.")
    home.post(f"{path}/mediation", {"party": home.payer})
    told = builders.Told(offer["dispute"], number, offer["dispute"])
    home.market.now = home.market.now.replace(microsecond=1)
    builders.decided(home.market, told, builders.a_draft(told, release=Money(60_000, "USD")))
    late = home.post(
        f"/disputes/{offer['dispute']}/settlement-proposals",
        {"party": home.payee, "release": offer["release"]},
    )
    assert (late.status_code, code(late) in ("case_decided", "case_closed")) == (409, True), late.text
    assert "Mia" not in late.text


def test_every_reason_against_a_release_has_words_for_outside() -> None:
    facts = Facts(
        open_cases=(OpenCase(1, "OPEN"),),
        manual_holds=(ActiveHold(1, "MANUAL", "secret"), ActiveHold(2, "RISK", "secret")),
        chargeback_open=True,
        severe_content_event=True,
        open_reviews=("secret",),
    )
    told = for_outsiders(ReleaseBlocked(blocking(facts)))
    codes = {each.code for each in blocking(facts)}
    assert {each.code for each in told.facts["blocks"]} == codes - {"silent_hold"} | {"waits"}
    assert "secret" not in told.message
    decided = AlreadyDecided(case=7, outcome="full refund", maker="Mia Lund", when=NOW)
    assert "Mia" not in for_outsiders(decided).message


# Answers, messages, issues addressed


def test_what_staff_asks_is_read_and_answered(home: ApiClient) -> None:
    path, dispute = mediated(home)
    mia = home.market.as_staff("mia")
    nothing = home.post(f"/disputes/{dispute}/answer", {"party": home.payee, "body": "What?"})
    assert (nothing.status_code, code(nothing)) == (409, "nothing_asked")
    asked = {"question": "When was it hung?", "answer_due_at": home.market.now + timedelta(days=3)}
    home.market.act(conversation.ask, mia, case_id=dispute, party_id=home.market.payee_id, **asked)
    waiting = home.get(f"/disputes/{dispute}").json()
    assert (waiting["status"], waiting["request"]["party"]) == ("WAITING_PARTY", home.payee)
    assert (waiting["request"]["kind"], waiting["request"]["question"]) == ("ANSWER", "When was it hung?")
    other = home.post(f"/disputes/{dispute}/answer", {"party": home.payer, "body": "In May."})
    assert (other.status_code, code(other)) == (409, "nothing_asked")
    assert (
        home.post(f"/disputes/{dispute}/answer", {"party": home.payee, "body": "In May."}).status_code == 201
    )
    after = home.get(f"/disputes/{dispute}").json()
    assert (after["status"], after["request"], after["waiting_on"]) == ("UNDER_REVIEW", None, None)
    said = home.get(f"{path}/messages").json()["items"]
    assert [(each["author"], each["body"]) for each in said[-2:]] == [
        ("staff", "When was it hung?"),
        ("party", "In May."),
    ]


def test_a_wanted_document_is_answered_by_a_file_in_the_dispute(home: ApiClient) -> None:
    path, dispute = mediated(home)
    asked = {
        "question": "The delivery note?",
        "answer_due_at": home.market.now + timedelta(days=3),
        "kind": RequestKind.DOCUMENT,
    }
    mia = home.market.as_staff("mia")
    home.market.act(conversation.ask, mia, case_id=dispute, party_id=home.market.payee_id, **asked)
    home.post(f"/disputes/{dispute}/answer", {"party": home.payee, "body": "I will look for it."})
    assert home.get(f"/disputes/{dispute}").json()["status"] == "WAITING_PARTY"
    note = ("note.txt", b"Delivered on 2 March.", "text/plain")
    handed = home.upload(f"{path}/evidence", party=home.payee, file=note)
    assert (handed.status_code, handed.json()["dispute"]) == (201, dispute), handed.text
    assert home.get(f"/disputes/{dispute}").json()["status"] == "UNDER_REVIEW"


def test_messages_are_read_in_pages_without_what_staff_notes_for_itself(home: ApiClient) -> None:
    path, _ = mediated(home)
    number = int(path.rpartition("/")[2])
    for word in ("one", "two", "three"):
        home.post(f"{path}/messages", {"party": home.payer, "body": word})
    mia = home.market.as_staff("mia")
    home.market.act(conversation.say, mia, milestone_id=number, body="They both shout.", audience="STAFF")
    page = home.get(f"{path}/messages?limit=2").json()
    rest = home.get(f"{path}/messages?after={page['items'][-1]['id']}").json()
    assert (len(page["items"]), page["has_more"], rest["has_more"]) == (2, True, False)
    said = [each["body"] for each in page["items"] + rest["items"]]
    assert said[-3:] == ["one", "two", "three"]
    assert "They both shout." not in said
    assert home.market.count(Message) == len(said) + 1


def test_the_payee_says_how_the_issues_were_addressed(home: ApiClient, owner: Database) -> None:
    path = disputed(home)
    with nothing_changes(owner):
        wrong = home.post(f"{path}/resubmit", {"party": home.payer, "details": "I did it."})
        assert (wrong.status_code, code(wrong)) == (403, "not_yours")
    again = home.post(f"{path}/resubmit", {"party": home.payee, "details": SECRET_WORDS})
    assert again.json()["status"] == "PENDING_VERIFICATION"
    assert home.get(f"{path}/messages").json()["items"][-1]["body"] == SECRET_WORDS


# Complaints, consultations, letters


def test_a_late_complaint_is_withdrawn_and_what_it_held_goes_on(home: ApiClient) -> None:
    path = submitted(home)
    none = home.post(f"{path}/withdraw-complaint", {"party": home.payer})
    assert (none.status_code, code(none)) == (409, "no_open_complaint")
    home.market.wait(days=6)
    home.post(f"{path}/complaint", {"party": home.payer, "reason": SECRET_WORDS})
    (complaint,) = home.market.all(Hold)
    assert complaint.reason == SECRET_WORDS
    home.post(f"{path}/approve", {"party": home.payer})
    home.market.work()
    assert home.get(path).json()["status"] == "VERIFIED"
    other = home.post(f"{path}/withdraw-complaint", {"party": home.payee})
    assert (other.status_code, code(other)) == (403, "not_yours")
    assert home.post(f"{path}/withdraw-complaint", {"party": home.payer}).status_code == 200
    home.market.work()
    assert home.get(path).json()["status"] == "COMPLETED"
    home.market.lawful()


def test_a_withdrawn_complaint_leaves_what_staff_held(home: ApiClient) -> None:
    path = submitted(home)
    home.market.wait(days=6)
    home.post(f"{path}/complaint", {"party": home.payer, "reason": "It sticks."})
    number = int(path.rpartition("/")[2])
    fay = home.market.as_staff("fay")
    another = {"reason": "Another matter.", "kind": HoldKind.REPORT}
    home.market.act(holds.place, fay, milestone_id=number, **another)
    home.post(f"{path}/approve", {"party": home.payer})
    home.post(f"{path}/withdraw-complaint", {"party": home.payer})
    home.market.work()
    assert home.get(path).json()["payment"]["held"]["minor"] == 100_000


def consultation(law: ApiClient) -> str:
    law.market.newcomers(platform="legal_services")
    project = law.post("/bids", bid(law, project_type="CONSULTATION", fee_mode="CONSULTATION_FIXED")).json()
    path = f"/projects/{project['id']}"
    for part in PARTS:
        who = law.payee if part in BY_PAYEE else law.payer
        law.post(f"{path}/engagement", {"party": who, "part": part})
    number = project["milestones"][0]["id"]
    answer = law.post(f"{path}/fund", {"party": law.payer, "milestones": [number]})
    assert answer.status_code == 202, answer.text
    law.market.work()
    return f"/milestones/{number}"


def test_a_consultation_is_released_a_day_after_the_session(law: ApiClient) -> None:
    path = consultation(law)
    assert law.get(path).json()["acceptance_rule"] == AcceptanceRule.SESSION_COMPLETED
    other = law.post(f"{path}/session-completed", {"party": law.payer})
    assert (other.status_code, code(other)) == (403, "not_yours")
    done = law.post(f"{path}/session-completed", {"party": law.payee})
    assert (done.status_code, done.json()["status"]) == (200, "PENDING_VERIFICATION"), done.text
    law.market.later(hours=23, minutes=59)
    assert law.get(path).json()["status"] == "PENDING_VERIFICATION"
    law.market.later(minutes=1)
    assert law.get(path).json()["payment"]["released"]["minor"] > 0
    law.market.lawful()


def test_work_is_no_session(home: ApiClient) -> None:
    _, path = funded(home)
    answer = home.post(f"{path}/session-completed", {"party": home.payee})
    assert (answer.status_code, code(answer)) == (409, "not_a_session")


def test_a_party_chooses_its_emails(home: ApiClient) -> None:
    before = home.get(f"/email-preferences?external_id={home.payee}").json()
    assert (before["frequency"], before["muted"], before["changed_at"]) == ("TOGETHER", [], None)
    chosen = {"party": home.payee, "frequency": "WEEKLY", "muted": ["thanks"]}
    answer = home.post("/email-preferences", chosen)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["frequency"], answer.json()["muted"]) == ("WEEKLY", ["thanks"])
    assert home.get(f"/email-preferences?external_id={home.payee}").json() == answer.json()
    kept = home.post("/email-preferences", chosen | {"muted": ["funds_held"]})
    assert (kept.status_code, code(kept)) == (422, "cannot_be_muted")
    assert code(home.post("/email-preferences", chosen | {"muted": ["weather"]})) == "no_such_kind"


# Payouts


def test_a_payee_chooses_how_to_be_paid(home: ApiClient, owner: Database) -> None:
    path = submitted(home)
    with nothing_changes(owner):
        payer = home.post("/withdrawal-method", {"party": home.payer, "method": "instant"})
        assert (payer.status_code, code(payer)) == (403, "not_yours")
        wire = home.post("/withdrawal-method", {"party": home.payee, "method": "wire"})
        assert wire.status_code == 422, "Stripe sends none"
    chosen = home.post("/withdrawal-method", {"party": home.payee, "method": "instant"})
    assert (chosen.status_code, chosen.json()["withdrawal_method"]) == (200, "instant"), chosen.text
    home.post(f"{path}/approve", {"party": home.payer})
    home.market.work()
    (payout,) = home.market.all(Payout)
    read = home.get(f"/payouts/{payout.id}").json()
    assert (read["method"], read["fee"]["minor"], read["payee"]) == ("instant", 1_500, home.payee)
    home.market.lawful()


def test_another_method_is_chosen_for_a_payout_that_failed(home: ApiClient, law: ApiClient) -> None:
    home.market.control.next_payouts({"code": "account_closed", "after_paid": False})
    path = submitted(home)
    home.post(f"{path}/approve", {"party": home.payer})
    for _ in range(5):
        home.market.later(days=1)
    (payout,) = home.market.all(Payout)
    there = f"/payouts/{payout.id}"
    assert (home.get(there).json()["status"], home.get(there).json()["offered"]) == (
        "ADMINISTRATIVE_REVIEW",
        [],
    )
    none = home.post(f"{there}/method", {"party": home.payee, "method": "instant"})
    assert (none.status_code, code(none)) == (404, "not_found")
    fay, instant = home.market.as_staff("fay"), [WithdrawalMethod.INSTANT]
    home.market.act(
        method_offers.offer, fay, payout_id=payout.id, methods=instant, reason="The account is closed."
    )
    assert home.get(there).json()["offered"] == ["instant"]
    other = home.post(f"{there}/method", {"party": home.payee, "method": "standard"})
    assert (other.status_code, code(other)) == (409, "not_offered")
    payer = home.post(f"{there}/method", {"party": home.payer, "method": "instant"})
    assert (payer.status_code, code(payer)) == (403, "not_yours")
    assert law.get(there).status_code == 404
    chosen = home.post(f"{there}/method", {"party": home.payee, "method": "instant"})
    assert (chosen.status_code, chosen.json()["method"], chosen.json()["offered"]) == (200, "instant", [])
    home.market.work()
    home.market.lawful()


# Words of the parties


def test_what_parties_write_is_never_refused_for_what_it_names(home: ApiClient) -> None:
    """Every free text a party can give, with an address and a number in it: kept, and nowhere in the log."""
    project = home.post("/bids", bid(home, title=SECRET_WORDS[:60], scope=SECRET_WORDS)).json()
    path = f"/projects/{project['id']}"
    whole = [
        {
            "title": SECRET_WORDS[:60],
            "deliverable": SECRET_WORDS,
            "amount": {"minor": 150_000, "currency": "USD"},
        }
    ]
    answers = [home.post(f"{path}/milestones", {"party": home.payer, "milestones": whole})]
    for part in PARTS:
        who = home.payee if part in BY_PAYEE else home.payer
        answers.append(home.post(f"{path}/engagement", {"party": who, "part": part}))
    number = project["milestones"][0]["id"]
    answers.append(home.post(f"{path}/fund", {"party": home.payer, "milestones": [number]}))
    home.market.work()
    there = f"/milestones/{number}"
    payer, payee = {"party": home.payer}, {"party": home.payee}
    file = (f"{SECRET_WORDS[:28]}.txt", SECRET_WORDS.encode(), "text/plain")
    answers += [
        home.post(f"{path}/reports", payer | {"kind": "OTHER", "details": SECRET_WORDS}),
        home.post(f"{there}/complete", payee),
        home.post(f"{there}/dispute", payer | {"reason": "OTHER", "details": SECRET_WORDS}),
        home.post(f"{there}/dispute-details", payer | {"details": SECRET_WORDS}),
        home.post(f"{there}/messages", payee | {"body": SECRET_WORDS}),
        home.upload(f"{there}/evidence", party=home.payee, file=file),
    ]
    (case,) = home.market.all(Case)
    share = {"minor": 1, "currency": "USD"}
    answers += [
        home.post(
            f"/disputes/{case.id}/settlement-proposals", payee | {"release": share, "note": SECRET_WORDS}
        ),
        home.post(f"{there}/resubmit", payee | {"details": SECRET_WORDS}),
    ]
    home.market.wait(days=6)
    answers.append(home.post(f"{there}/complaint", payer | {"reason": SECRET_WORDS}))
    assert [each.status_code for each in answers if each.status_code >= 400] == []
    entries = home.market.read(lambda session: session.execute(ENTRIES).all())
    assert [each for each in entries if ADDRESS.search(str(each)) or "555 0147" in str(each)] == []


def test_a_reason_of_staff_is_refused_with_what_is_wrong_with_it(home: ApiClient) -> None:
    _, path = funded(home)
    number = int(path.rpartition("/")[2])
    fay = home.market.as_staff("fay")
    with pytest.raises(PersonalDataInAudit):
        home.market.act(holds.place, fay, milestone_id=number, reason=SECRET_WORDS)


# The description


def test_the_choices_of_the_api_are_those_of_the_rules() -> None:
    given = requests.Dispute.model_json_schema()["$defs"]["PayersReason"]["enum"]
    assert set(given) == OF_THE_PAYER
    assert requests.Share(minor=0, currency="USD").money() == Money(0, "USD")
