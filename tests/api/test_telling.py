"""Each change that the marketplace must know of is told; in a counted order, with every try on record, and again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from core.actions.cases import conversation, settlement_proposals
from core.actions.milestones import verification
from core.actions.payouts import payout_review
from core.actions.risk import hold_ends, holds, payee_holds, practice_flags, reports, risk_reviews
from core.api.openapi.examples import usd
from core.api.webhooks import delivery
from core.db import Database, one_at_a_time
from core.money import Money
from core.records import (
    Chargeback,
    EventDelivery,
    Message,
    OutgoingEvent,
    Payout,
    Receipt,
    Refund,
    Report,
    RiskReview,
)
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.holds import HoldKind
from core.rules.permissions import SYSTEM
from core.rules.reports import ReportKind, ReportOutcome
from core.rules.risk import ReviewOutcome
from tests import builders, patience
from tests.actions import stripe_events
from tests.api import conformity
from tests.api.api_client import ApiClient, code
from tests.api.test_arrows import completed
from tests.api.test_events import Listener, listener, listening
from tests.api.test_flows import accepted, funded
from tests.sandbox_desk import Market

__all__ = ["listener"]  # the fixture


def told(market: Market, kind: str) -> list[dict[str, Any]]:
    """What was written down for the marketplace, of one kind, in its order."""
    found = [each for each in market.all(OutgoingEvent) if each.kind == kind]
    for each in found:
        said = {
            "id": f"evt_{each.id}",
            "kind": kind,
            "sequence": 1,
            "created_at": each.created_at.isoformat(),
        }
        conformity.require_event({**said, "data": each.data})
    return [each.data for each in found]


def ways(market: Market, kind: str) -> list[str]:
    return [each["to"] for each in told(market, kind)]


@pytest.fixture
def watched(market: Market) -> Market:
    """A market whose home-services platform listens."""
    listening(market, "https://market.example/events")
    return market


def test_a_hold_is_told_when_it_is_placed_and_when_it_is_lifted_but_not_why(watched: Market) -> None:
    there = watched.funded()
    cora = watched.as_staff("cora")
    placed = watched.act(holds.place, cora, milestone_id=there.milestone, reason="A quiet word.")
    watched.act(holds.lift, watched.as_staff("ada"), hold_id=placed.id, reason="All is well.")
    for kind in ("hold.placed", "hold.lifted"):
        (data,) = told(watched, kind)
        assert (data["hold"], data["milestone"], data["kind"]) == (placed.id, there.milestone, "MANUAL")
    assert "quiet" not in str([each.data for each in watched.all(OutgoingEvent)])


def test_a_hold_on_a_payee_is_told_when_it_is_placed_extended_and_lifted_but_not_why(watched: Market) -> None:
    watched.submitted()
    cora, end = watched.as_staff("cora"), watched.now + timedelta(days=3)
    held = {"party_id": watched.payee_id, "reason": "A quiet word."}
    placed = watched.act(payee_holds.place, cora, **held)
    watched.act(hold_ends.extend, cora, hold_id=placed.id, until=end, reason="A quiet week.")
    watched.act(payee_holds.lift, watched.as_staff("ada"), hold_id=placed.id, reason="All is well.")
    said = {kind: told(watched, f"payee.hold_{kind}")[0] for kind in ("placed", "extended", "lifted")}
    assert {each["hold"] for each in said.values()} == {placed.id}
    assert [bool(each["expected_end"]) for each in said.values()] == [False, True, True]
    assert [bool(each["lifted_at"]) for each in said.values()] == [False, False, True]
    assert "quiet" not in str([each.data for each in watched.all(OutgoingEvent)])


def test_another_expected_end_of_a_hold_is_told_and_of_a_silent_one_nothing(watched: Market) -> None:
    there, cora, end = watched.funded(), watched.as_staff("cora"), watched.now + timedelta(days=3)
    of_milestone = {"milestone_id": there.milestone, "reason": "A quiet word."}
    for kind in (HoldKind.MANUAL, HoldKind.RISK):
        placed = watched.act(holds.place, cora, kind=kind, **of_milestone)
        watched.act(hold_ends.extend, cora, hold_id=placed.id, until=end, reason="A quiet week.")
    silent = {"party_id": watched.payee_id, "reason": "He cheats.", "kind": HoldKind.RISK}
    placed = watched.act(payee_holds.place, cora, **silent)
    watched.act(hold_ends.extend, cora, hold_id=placed.id, until=end, reason="A quiet week.")
    assert [each["kind"] for each in told(watched, "hold.extended")] == ["MANUAL"]
    assert not [each for each in watched.all(OutgoingEvent) if each.kind.startswith("payee.hold_")]


def test_a_decision_its_refund_and_its_payout_are_told(watched: Market) -> None:
    there = watched.in_mediation()
    builders.decided(watched, there, builders.a_draft(there, release=Money(60_000, "USD")))
    watched.work()
    for _ in range(6):
        watched.later(days=1)
    (decision,) = told(watched, "decision.executed")
    assert (decision["release"], decision["refund"], decision["dispute"]) == (
        usd(60_000),
        usd(40_000),
        there.case,
    )
    (refund,) = watched.all(Refund)
    causes = [each["cause"] for each in told(watched, "payment.state_changed")]
    assert [{name: each for name, each in cause.items() if each is not None} for cause in causes][2:] == [
        {"kind": "DECISION", "dispute": there.case},
        {"kind": "REFUND", "refund": refund.id},
    ]
    assert ways(watched, "refund.status_changed") == ["QUEUED", "SUCCEEDED"]
    payout = ways(watched, "payout.status_changed")
    assert (payout[0], payout[-1]) == ("REQUESTED", "PAID")
    assert told(watched, "payout.status_changed")[0]["payee"].startswith("market-PAYEE")
    papers = {each["kind"]: each for each in told(watched, "receipt.issued")}
    assert {"FUNDING", "RELEASE", "REFUND"} == set(papers)
    assert {each["number"] for each in papers.values()} == {each.number for each in watched.all(Receipt)}
    receipt = papers["FUNDING"]["number"]
    assert [papers[kind]["refers_to"] for kind in ("FUNDING", "RELEASE", "REFUND")] == [
        None,
        receipt,
        receipt,
    ]


def test_a_refund_that_waits_and_then_fails_is_told(watched: Market) -> None:
    there = watched.in_mediation()
    watched.control.next_refunds({"status": "pending", "stay": True})
    full = {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.WORK_NOT_AS_AGREED}
    builders.decided(watched, there, builders.a_draft(there, **full))
    watched.work()
    assert ways(watched, "refund.status_changed") == ["QUEUED", "PENDING"]
    (refund,) = watched.all(Refund)
    watched.control.move_refund(refund.stripe_refund, "failed", reason="expired_or_canceled_card")
    stripe_events.told_by_webhook(watched, "refund.updated", refund.stripe_refund)
    watched.later(hours=1)
    assert ways(watched, "refund.status_changed")[2] == "FAILED"
    failed = told(watched, "refund.status_changed")[-1]
    said = ("expired_or_canceled_card", "The card that was paid with is no longer in use.")
    assert (failed["failure_code"], failed["failure"]) == said


def test_a_payout_that_fails_is_told_with_its_reason(watched: Market) -> None:
    watched.control.next_payouts({"code": "account_closed", "after_paid": False})
    there = watched.submitted()
    watched.act(verification.approve, watched.payer, milestone_id=there.milestone)
    watched.work()
    for _ in range(5):
        watched.later(days=1)
    (payout,) = watched.all(Payout)
    assert payout.status == "ADMINISTRATIVE_REVIEW"
    last = told(watched, "payout.status_changed")[-1]
    assert last["to"] == "ADMINISTRATIVE_REVIEW"
    assert (last["failure_code"], last["failure"]) == ("account_closed", "The bank account is closed.")
    assert (payout.failure_code, payout.failure) == (last["failure_code"], last["failure"])
    failed = [
        each for each in told(watched, "payout.status_changed") if each["to"] != "ADMINISTRATIVE_REVIEW"
    ]
    assert {each["failure_code"] for each in failed} <= {None, "account_closed"}
    (asked,) = watched.operations("PAYOUT")
    assert asked.last_error == "The bank account has been closed", "what Stripe wrote is for staff"
    fay = watched.as_staff("fay")
    watched.act(payout_review.retry, fay, payout_id=payout.id, reason="A new account.", anyway=True)
    again = told(watched, "payout.status_changed")[-1]
    assert (again["to"], again["failure"], again["failure_code"]) == ("TRANSFERRED", None, None)


def test_a_chargeback_is_told_with_each_of_its_statuses(watched: Market) -> None:
    there = watched.funded()
    dispute = stripe_events.charged_back(watched, there)
    watched.work()
    stripe_events.bank_says(watched, dispute, "won")
    watched.work()
    statuses = ways(watched, "chargeback.status_changed")
    assert (statuses[0], statuses[-1]) == ("needs_response", "won")
    assert "CHARGEBACK_REVIEW" in ways(watched, "payment.state_changed")
    (row,) = watched.all(Chargeback)
    causes = [each["cause"] for each in told(watched, "payment.state_changed")]
    assert [(each["kind"], each["chargeback"]) for each in causes[-2:]] == [("CHARGEBACK", row.id)] * 2


def test_a_report_is_told_when_it_is_settled_and_a_review_when_it_opens_and_ends(watched: Market) -> None:
    there = watched.funded()
    said = {"project_id": there.project, "kind": ReportKind.THREAT, "details": "He shouted."}
    report = watched.act(reports.file, watched.payer, **said, external_id="r-7")
    (opened,) = told(watched, "risk_review.opened")
    cora = watched.as_staff("cora")
    settling = {"report_id": report.id, "outcome": ReportOutcome.DISMISSED, "note": "A quarrel."}
    watched.act(reports.settle, cora, **settling)
    (settled,) = told(watched, "report.settled")
    assert (settled["external_id"], settled["outcome"], settled["project"]) == (
        "r-7",
        "DISMISSED",
        there.project,
    )
    (review,) = watched.all(RiskReview)
    watched.act(risk_reviews.settle, cora, review_id=review.id, outcome=ReviewOutcome.CLEARED, note="Done.")
    (ended,) = told(watched, "risk_review.settled")
    assert (opened["risk_review"], ended["risk_review"], ended["outcome"]) == (
        review.id,
        review.id,
        "CLEARED",
    )
    assert watched.count(Report) == 1


def test_practices_offers_and_messages_are_told(watched: Market) -> None:
    there = watched.in_mediation()
    states = {"licensed_in": "Ohio", "needed_in": "Iowa"}
    flag = watched.act(practice_flags.flag, SYSTEM, project_id=there.project, **states)
    watched.act(practice_flags.resolve, SYSTEM, flag_id=flag.id, resolution="Admitted there.")
    half = Money(50_000, "USD")
    first = watched.act(settlement_proposals.propose, watched.payee, case_id=there.case, release=half)
    watched.act(settlement_proposals.decline, watched.payer, proposal_id=first.id)
    mia = watched.as_staff("mia")
    watched.act(conversation.say, mia, milestone_id=there.milestone, body="For both.")
    watched.act(conversation.say, mia, milestone_id=there.milestone, body="For us.", audience="STAFF")
    assert [each["practice_flag"] for each in told(watched, "practice.flagged")] == [flag.id]
    assert [each["practice_flag"] for each in told(watched, "practice.resolved")] == [flag.id]
    assert ways(watched, "settlement_proposal.status_changed") == ["OPEN", "DECLINED"]
    for each in told(watched, "settlement_proposal.status_changed"):
        assert (each["release"], each["refund"]) == (usd(50_000), usd(50_000))
    heard = {each["message"] for each in told(watched, "message.sent")}
    assert heard == {each.id for each in watched.all(Message) if each.audience == "PARTIES"}
    assert told(watched, "message.sent")[-1]["author"] == "staff"


def test_a_proposal_that_its_maker_replaced_was_not_withdrawn(watched: Market) -> None:
    there = watched.in_mediation()
    for share in (50_000, 60_000):
        watched.act(
            settlement_proposals.propose, watched.payee, case_id=there.case, release=Money(share, "USD")
        )
    assert ways(watched, "settlement_proposal.status_changed") == ["OPEN", "REPLACED", "OPEN"]


def test_no_event_says_that_money_moved_before_it_did_and_every_amount_has_the_form_of_an_answer(
    watched: Market,
) -> None:
    """`released` and `refunded` are the payment's words for what has left; nothing else bears them."""
    there = watched.in_mediation()
    builders.decided(watched, there, builders.a_draft(there, release=Money(60_000, "USD")))
    stripe_events.charged_back(watched, watched.funded())
    watched.work()
    amounts = {"amount", "fee", "total", "release", "refund"}
    for each in watched.all(OutgoingEvent):
        data = each.data | each.data.get("amounts", {})
        if each.kind == "refund.status_changed":
            del data["refund"]  # its number
        assert each.kind == "payment.state_changed" or not {"released", "refunded"} & data.keys()
        for name in (amounts | set(each.data.get("amounts", {}))) & data.keys():
            assert data[name].keys() == {"minor", "currency"}, (each.kind, name)
    moved = [each["amounts"]["released"]["minor"] for each in told(watched, "payment.state_changed")]
    assert moved[0] == 0


def test_the_end_of_a_project_its_reviews_and_ratings_are_told(home: ApiClient) -> None:
    listening(home.market, "https://market.example/events")
    path = completed(home)
    home.post(f"{path}/reviews", {"party": home.payer, "stars": 4})
    assert told(home.market, "reviews.opened") == []
    home.post(f"{path}/reviews", {"party": home.payee, "stars": 5})
    assert ways(home.market, "project.status_changed") == ["COMPLETED"]
    assert ways(home.market, "engagement.status_changed") == ["ACTIVE"]
    assert len(told(home.market, "reviews.requested")) == len(told(home.market, "reviews.opened")) == 1
    ratings = {each["party"]: each["tenths"] for each in told(home.market, "rating.calculated")}
    assert ratings == {home.payer: 50, home.payee: 40}


def test_what_staff_asks_of_a_party_is_told(watched: Market) -> None:
    there = watched.in_mediation()
    due = watched.now + timedelta(days=3)
    asked = {"question": "When?", "answer_due_at": due, "party_id": watched.payee_id}
    watched.act(conversation.ask, watched.as_staff("mia"), case_id=there.case, **asked)
    waiting = told(watched, "dispute.status_changed")[-1]
    assert (waiting["to"], waiting["waiting_on"][:12]) == ("WAITING_PARTY", "market-PAYEE")


# Order, log, replay


def all_heard(market: Market) -> None:
    while delivery.deliver_due(market.desk):
        pass


def numbers(listener: Listener) -> list[int]:
    return [each["sequence"] for each in listener.events()]


def test_events_are_counted_without_a_gap_in_the_order_of_what_happened(
    home: ApiClient, listener: Listener
) -> None:
    listening(home.market, listener.url)
    funded(home)
    all_heard(home.market)
    funded(home, "second")
    all_heard(home.market)
    assert numbers(listener) == list(range(1, len(listener.heard) + 1))
    moves = [
        (each["data"]["milestone"], each["data"]["to"])
        for each in listener.events()
        if each["kind"] == "milestone.status_changed"
    ]
    assert [to for _, to in moves] == ["AWAITING_FUNDING", "FUNDED"] * 2


def test_many_workers_count_together(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    for number in range(4):
        funded(home, f"bid-{number}")
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: all_heard(home.market), range(4)))
    assert sorted(numbers(listener)) == list(range(1, len(listener.heard) + 1))
    assert home.market.count(OutgoingEvent, OutgoingEvent.status != "SENT") == 0


def test_nobody_counts_while_another_does(home: ApiClient, listener: Listener) -> None:
    """Between choosing events and numbering them another worker could overtake: it waits instead."""
    listening(home.market, listener.url)
    accepted(home)
    with ThreadPoolExecutor(1) as worker:
        with home.market.database.transaction() as session:
            one_at_a_time(session, delivery.ONE_AT_A_TIME)
            done = worker.submit(all_heard, home.market)
            with pytest.raises(TimeoutError):
                done.result(timeout=1)
            assert home.market.count(OutgoingEvent, OutgoingEvent.sequence.is_not(None)) == 0
        done.result(timeout=patience.SECONDS)
    assert numbers(listener) == [1, 2]


def test_each_endpoint_counts_for_itself(home: ApiClient, listener: Listener) -> None:
    first, _ = listening(home.market, listener.url)
    accepted(home)
    second, _ = listening(home.market, listener.url + "/more")
    accepted(home, "second")
    all_heard(home.market)
    counted: dict[int, list[int]] = {}
    for each in home.market.all(OutgoingEvent):
        counted.setdefault(each.endpoint_id, []).append(each.sequence)
    assert counted == {first.id: [1, 2, 3, 4], second.id: [1, 2]}


def test_every_try_is_on_record_and_stays(home: ApiClient, listener: Listener, owner: Database) -> None:
    listening(home.market, listener.url)
    accepted(home)
    listener.status = 503
    all_heard(home.market)
    listener.status = 200
    home.market.wait(minutes=2)
    all_heard(home.market)
    log = [(each.status, each.error) for each in home.market.all(EventDelivery)]
    assert log == [(503, "It answered 503."), (200, None), (200, None)]
    for statement in ("update event_deliveries set status = 200", "delete from event_deliveries"):
        with pytest.raises(Exception, match="stays as it was written"), owner.transaction() as session:
            session.connection().exec_driver_sql(statement)


def test_an_endpoint_that_nobody_reaches_is_tried_without_a_status(
    home: ApiClient, listener: Listener
) -> None:
    listener.server.shutdown()
    listener.server.server_close()
    listening(home.market, listener.url)
    accepted(home)
    all_heard(home.market)
    (only,) = home.market.all(EventDelivery)
    assert (only.status, only.error) == (None, "It did not answer (ConnectionError).")


def test_what_was_given_up_while_an_endpoint_was_down_is_told_again(
    home: ApiClient, law: ApiClient, listener: Listener
) -> None:
    endpoint, _ = listening(home.market, listener.url)
    funded(home)
    listener.status = 500
    with home.market.database.transaction() as session:
        nearly = delivery.TRIES - 1
        session.connection().exec_driver_sql(f"update outgoing_events set tries = {nearly}")
    delivery.deliver_due(home.market.desk)
    (standing,) = home.get("/webhook-endpoints").json()["items"]
    assert standing["failed"] == 1
    listener.status, listener.heard = 200, []
    path = f"/webhook-endpoints/{endpoint.id}/replay"
    assert law.post(path, {"after": 0}).status_code == 404
    answer = home.post(path, {"after": 0}, key="again")
    assert answer.json()["queued"] >= 1
    assert home.post(path, {"after": 0}, key="again").headers["idempotent-replayed"] == "true"
    all_heard(home.market)
    whole = home.market.count(OutgoingEvent)
    assert sorted(numbers(listener)) == list(range(1, whole + 1))
    (after,) = home.get("/webhook-endpoints").json()["items"]
    assert (after["waiting"], after["failed"], after["last_sequence"]) == (0, 0, whole)


def test_a_replay_says_the_same_again_from_where_it_is_asked(home: ApiClient, listener: Listener) -> None:
    endpoint, _ = listening(home.market, listener.url)
    funded(home)
    all_heard(home.market)
    first = [body for _, body in listener.heard]
    listener.heard = []
    assert (
        home.post(f"/webhook-endpoints/{endpoint.id}/replay", {"after": 2}).json()["queued"] == len(first) - 2
    )
    all_heard(home.market)
    assert [body for _, body in listener.heard] == first[2:]


def test_the_log_of_events_is_read_in_pages_by_its_own_platform(
    home: ApiClient, law: ApiClient, listener: Listener
) -> None:
    endpoint, _ = listening(home.market, listener.url)
    funded(home)
    all_heard(home.market)
    page = home.get(f"/events?endpoint={endpoint.id}&limit=2").json()
    rest = home.get(f"/events?endpoint={endpoint.id}&after=2&limit=100").json()
    assert [each["sequence"] for each in page["items"]] == [1, 2]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    read = [{name: each[name] for name in ("id", "kind", "sequence", "data")} for each in page["items"]]
    assert read == [{name: each[name] for name in read[0]} for each in listener.events()[:2]]
    other = law.get(f"/events?endpoint={endpoint.id}")
    assert (other.status_code, code(other)) == (404, "not_found")
    assert law.get("/webhook-endpoints").json()["items"] == []


def test_endpoints_are_listed_in_pages(home: ApiClient) -> None:
    made = [
        home.post("/webhook-endpoints", {"url": f"https://market{number}.example/events"}).json()["id"]
        for number in range(3)
    ]
    first = home.get("/webhook-endpoints?limit=2&sort=id").json()
    assert [each["id"] for each in first["items"]] == made[:2]
    assert (first["items"][0]["waiting"], first["has_more"]) == (0, True)
    last = home.get(f"/webhook-endpoints?limit=2&sort=id&cursor={first['next']}").json()
    assert ([each["id"] for each in last["items"]], last["has_more"]) == (made[2:], False)


def test_an_event_keeps_its_number(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    accepted(home)
    all_heard(home.market)
    with pytest.raises(Exception, match="stays as it was"), home.market.database.transaction() as session:
        session.connection().exec_driver_sql("update outgoing_events set sequence = sequence + 10")
