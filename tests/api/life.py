"""One project's life over HTTP, from what is in force to the reviews: each operation of the API once, at least.

`Call` is whoever sends: by the name of the operation, with what stands in its address, its query and its body.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from core.actions.cases import conversation, mediator_assignment
from core.actions.payouts import method_offers
from core.actions.risk import payee_holds, reports, risk_reviews
from core.api.routes.lists import LISTS
from core.money import Money
from core.policy import WithdrawalMethod
from core.records import Party, Project, Report, RiskReview
from core.rules.reports import ReportOutcome
from core.rules.risk import ReviewOutcome
from tests import builders
from tests.actions import stripe_events
from tests.actions.test_receivables import owes
from tests.builders import Told
from tests.gateways.evidence_builders import picture
from tests.sandbox_desk import Market

PAYER, PAYEE = "homeowner-4711", "contractor-815"
PHOTO = ("cabinet.jpg", picture(), "image/jpeg")


class Call(Protocol):
    def __call__(self, operation: str, body: Any = None, **where: Any) -> Any: ...


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def live(call: Call, market: Market, endpoint: int, hear: Callable[[], None]) -> None:
    """`endpoint`: where the marketplace listens; `hear`: what is to be told is told."""
    call("read_platform")
    _become_known(call, market)
    project, (first, second, third) = _agree(call, market)
    _settle_what_was_reported(call, market, project)
    _dispute(call, market, project, first)
    _agree_on_a_division(call, second)
    _complain_and_be_paid(call, market, third)
    call("submit_review", {"party": PAYER, "stars": 5, "body": "On time and tidy."}, project_id=project)
    call("submit_review", {"party": PAYEE, "stars": 5, "body": "Clear, quick to pay."}, project_id=project)
    call("read_reviews", project_id=project)
    _move(call, market)
    stripe_events.charged_back(market, Told(project, third))
    market.work()
    hear()
    _read_it_all(call, project, endpoint)


def _become_known(call: Call, market: Market) -> None:
    person = {"external_id": PAYER, "role": "PAYER", "name": "Ana Lindqvist", "email": "ana@example.com"}
    call("register_party", person)
    builder = {"external_id": PAYEE, "role": "PAYEE", "name": "Ben Okafor", "email": "ben@example.com"}
    call("register_party", {**builder, "city": "Portland", "country": "US"})
    card = {"party": PAYER, "currency": "USD", "payment_method": "pm_card_bypassPending"}
    call("open_provider_account", card)
    setup = call("begin_setup", {"party": PAYER})["id"]
    call("read_setup", setup_id=setup)
    call("open_provider_account", {"party": PAYEE, "currency": "USD", "bank_token": "btok_us_verified"})
    call("choose_emails", {"party": PAYEE, "frequency": "DAILY", "muted": ["thanks"]})
    call("read_email_preferences", external_id=PAYEE)
    call("choose_withdrawal", {"party": PAYEE, "method": "standard"})
    known = {each.external_id: each.id for each in market.all(Party)}
    market.payer_id, market.payee_id = known[PAYER], known[PAYEE]


def _agree(call: Call, market: Market) -> tuple[int, list[int]]:
    bid = {
        "bid_reference": "bid-2026-0042",
        "payer": PAYER,
        "payee": PAYEE,
        "title": "New kitchen",
        "scope": "Cabinets, worktop and tiles, as drawn.",
        "project_type": "KITCHEN",
        "fee_mode": "STAGED",
        "total": usd(150_000),
    }
    project = call("accept_bid", bid)["id"]
    parts = (("Cabinets", 60_000), ("Worktop", 40_000), ("Tiles", 50_000))
    division = [
        {"title": title, "deliverable": f"{title}, fitted as drawn.", "amount": usd(minor)}
        for title, minor in parts
    ]
    agreed = call("adjust_milestones", {"party": PAYER, "milestones": division}, project_id=project)
    for part, who in (
        ("SCOPE_BY_PAYEE", PAYEE),
        ("FEE", PAYER),
        ("DISCLAIMERS", PAYER),
        ("SCOPE_BY_PAYER", PAYER),
    ):
        call("confirm_engagement", {"party": who, "part": part}, project_id=project)
    call("choose_funding", {"party": PAYER, "funding": "AHEAD"}, project_id=project)
    call("read_schedule", project_id=project)
    numbers = [each["id"] for each in agreed["milestones"]]
    asked = {"party": PAYER, "milestones": numbers[:1], "payment_method": "pm_card_authenticationRequired"}
    call("fund_milestones", asked, project_id=project)
    market.work()
    call("cancel_payment", {"party": PAYER}, milestone_id=numbers[0])
    market.work()
    call("fund_milestones", {"party": PAYER, "milestones": numbers}, project_id=project)
    market.work()
    return project, numbers


def _settle_what_was_reported(call: Call, market: Market, project: int) -> None:
    said = {"party": PAYER, "kind": "OFF_PLATFORM_CONTACT", "details": "Asked me to pay in cash."}
    report = call("file_report", said, project_id=project)
    found = {
        "external_id": "cre-90210",
        "kind": "OTHER",
        "severity": "LOW",
        "details": "Rule 7 in message 8812.",
    }
    call("file_content_event", found, project_id=project)
    states = {"licensed_in": "Oregon", "needed_in": "Texas"}
    flag = call("flag_practice", states, project_id=project)["id"]
    call("read_practice_flag", flag_id=flag)
    call("resolve_practice_flag", {"resolution": "Admitted in Texas since 2024."}, flag_id=flag)
    cora = market.as_staff("cora")
    for each in market.all(Report):
        settled = {"report_id": each.id, "outcome": ReportOutcome.DISMISSED, "note": "Nothing in it."}
        market.act(reports.settle, cora, **settled)
    for review in market.all(RiskReview):
        cleared = {"review_id": review.id, "outcome": ReviewOutcome.CLEARED, "note": "Looked into."}
        market.act(risk_reviews.settle, cora, **cleared)
    call("read_report", report_id=report["id"])


def _dispute(call: Call, market: Market, project: int, milestone: int) -> None:
    """Disputed three times: withdrawn, worked off, and then decided by a mediator."""
    payer, payee = {"party": PAYER}, {"party": PAYEE}
    complained = payer | {"reason": "DEFECTIVE", "details": "The left cabinet leans by a hand's width."}
    call("complete_milestone", payee, milestone_id=milestone)
    call("open_dispute", payer | {"reason": "INCOMPLETE"}, milestone_id=milestone)
    call("withdraw_dispute", payer, milestone_id=milestone)
    call("open_dispute", complained, milestone_id=milestone)
    call("explain_dispute", payer | {"details": "See the photograph."}, milestone_id=milestone)
    call("resubmit_milestone", payee | {"details": "The wall plug is replaced."}, milestone_id=milestone)
    dispute = call("open_dispute", complained, milestone_id=milestone)["dispute"]
    call(
        "submit_evidence",
        {"party": PAYER, "caption": "After a week.", "file": PHOTO},
        milestone_id=milestone,
    )
    call("send_message", payee | {"body": "We will straighten it on Monday."}, milestone_id=milestone)
    offer = {"release": usd(50_000), "note": "For the cabinet that leans."}
    refused = call("propose_settlement", payee | offer, dispute_id=dispute)["id"]
    call("decline_settlement_proposal", payer, settlement_proposal_id=refused)
    taken_back = call("propose_settlement", payee | {"release": usd(45_000)}, dispute_id=dispute)["id"]
    call("withdraw_settlement_proposal", payee, settlement_proposal_id=taken_back)
    call("ask_mediation", payer, milestone_id=milestone)
    mia = market.as_staff("mia")
    market.act(mediator_assignment.assign, mia, case_id=dispute, staff_id=market.staff["mia"])
    asked = {"question": "When did you look again?", "answer_due_at": market.now + timedelta(days=3)}
    market.act(conversation.ask, mia, case_id=dispute, party_id=market.payee_id, **asked)
    call("answer_request", payee | {"body": "On Monday, at nine."}, dispute_id=dispute)
    draft = builders.a_draft(Told(project, milestone, dispute), release=Money(36_000, "USD"))
    builders.decided(market, Told(project, milestone, dispute), draft)
    market.work()
    call("read_dispute", dispute_id=dispute)


def _agree_on_a_division(call: Call, milestone: int) -> None:
    call("complete_milestone", {"party": PAYEE}, milestone_id=milestone)
    disputed = {"party": PAYER, "reason": "NOT_AS_AGREED", "details": "Oak was agreed, and this is ash."}
    dispute = call("open_dispute", disputed, milestone_id=milestone)["dispute"]
    share = {"party": PAYEE, "release": usd(35_000), "note": "Less for the other wood."}
    offer = call("propose_settlement", share, dispute_id=dispute)["id"]
    call("accept_settlement_proposal", {"party": PAYER}, settlement_proposal_id=offer)
    call("read_settlement_proposals", dispute_id=dispute)


def _complain_and_be_paid(call: Call, market: Market, milestone: int) -> None:
    """A complaint after the window, withdrawn; then a payout that fails and goes by another method."""
    for _ in range(4):
        market.later(days=1)
    call("complete_milestone", {"party": PAYEE}, milestone_id=milestone)
    market.wait(days=6)
    complaint = {"party": PAYER, "reason": "A tile sticks out since yesterday."}
    call("complain_late", complaint, milestone_id=milestone)
    call("withdraw_complaint", {"party": PAYER}, milestone_id=milestone)
    market.control.next_payouts({"code": "account_closed", "after_paid": False})
    call("approve_milestone", {"party": PAYER}, milestone_id=milestone)
    for _ in range(5):
        market.later(days=1)
    payout = call("read_milestone", milestone_id=milestone)["payouts"][0]["id"]
    offered = {"methods": [WithdrawalMethod.INSTANT], "reason": "The account is closed."}
    market.act(method_offers.offer, market.as_staff("fay"), payout_id=payout, **offered)
    call("read_payout", payout_id=payout)
    call("choose_payout_method", {"party": PAYEE, "method": "instant"}, payout_id=payout)
    market.later(days=1)
    assert market.all(Project)[0].status == "COMPLETED"


def _move(call: Call, market: Market) -> None:
    """Both have a new account, and the payee lives elsewhere; staff stops the payee's money until that is looked at."""
    call("change_details", {"party": PAYEE, "email": "ben@okafor.example", "city": "Salem"})
    call("replace_bank_account", {"party": PAYEE, "bank_token": "btok_us"})
    call("replace_payment_method", {"party": PAYER, "payment_method": "pm_card_visa"})
    held = {"party_id": market.payee_id, "reason": "A new bank account and a new address in one day."}
    hold = market.act(payee_holds.place, market.as_staff("cora"), **held)
    market.act(payee_holds.lift, market.as_staff("ada"), hold_id=hold.id, reason="They have called us.")
    owes(market, 26_000, "lost")
    pages = {"refresh_url": "https://market.example/again", "return_url": "https://market.example/done"}
    call("make_account_link", {"party": PAYEE, **pages})


def _read_it_all(call: Call, project: int, endpoint: int) -> None:
    call("read_project", project_id=project)
    first = {}
    for each in LISTS:
        name = each.path.replace("-", "_")
        first[name] = call(f"list_{name}", limit=1)["items"]
    call("read_messages", milestone_id=first["evidence"][0]["milestone"])
    for name, one in (("evidence", "evidence"), ("refunds", "refund"), ("receipts", "receipt")):
        call(f"read_{one}", **{f"{one}_id": first[name][0]["id"]})
    call("read_chargeback", chargeback_id=first["chargebacks"][0]["id"])
    call("read_email", email_id=first["emails"][0]["id"])
    call("fetch_evidence", evidence_id=first["evidence"][0]["id"])
    call("fetch_receipt", receipt_id=first["receipts"][0]["id"])
    call("read_endpoints")
    added = call("add_endpoint", {"url": "https://market.example/more-events"})["id"]
    call("rotate_endpoint", {}, endpoint_id=added)
    call("remove_endpoint", {}, endpoint_id=added)
    call("try_endpoint", {}, endpoint_id=endpoint)
    call("read_deliveries", endpoint_id=endpoint, limit=1)
    call("read_events", endpoint=endpoint, limit=1)
    call("replay_events", {"after": 3}, endpoint_id=endpoint)
