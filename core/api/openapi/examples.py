"""One example of every shape that goes in or comes out, by its name in the description; a test holds each to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AT = "2026-03-02T09:30:00+00:00"
LATER = "2026-03-07T09:30:00+00:00"
PAYER, PAYEE = "homeowner-4711", "contractor-815"
SCOPE = "Cabinets and worktop, as drawn."


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


PAYMENT = {
    "state": "PAID_HELD",
    "charge": usd(105_592),
    "platform_fee": usd(2_500),
    "processing_fee": usd(3_092),
    "held": usd(100_000),
    "payable": usd(0),
    "refundable": usd(0),
    "released": usd(0),
    "refunded": usd(0),
    "in_flight": False,
    "failure": None,
}
PAYOUT = {
    "id": 6,
    "milestone": 31,
    "payee": PAYEE,
    "amount": usd(100_000),
    "fee": usd(0),
    "method": "standard",
    "status": "ADMINISTRATIVE_REVIEW",
    "failure": "The bank account has been closed.",
    "offered": ["instant"],
    "requested_at": AT,
    "arrival_at": LATER,
    "paid_at": None,
}
REFUND = {
    "id": 4,
    "milestone": 31,
    "amount": usd(41_000),
    "of_milestone": usd(40_000),
    "ground": "PARTIAL_WORK",
    "status": "SUCCEEDED",
    "failure": None,
    "created_at": AT,
    "settled_at": LATER,
}
HOLD = {"id": 8, "milestone": 31, "kind": "MANUAL", "placed_at": AT, "lifted_at": None}
MILESTONE = {
    "id": 31,
    "project": 12,
    "position": 1,
    "title": "Cabinets",
    "deliverable": "Cabinets hung and level.",
    "amount": usd(100_000),
    "acceptance_rule": "AUTO_RELEASE",
    "target_date": "2026-04-01",
    "status": "PENDING_VERIFICATION",
    "outcome": None,
    "funded_at": AT,
    "completion_notice_at": AT,
    "dispute_until": LATER,
    "auto_approve_at": "2026-03-09T09:30:00+00:00",
    "answer_due_at": "2026-03-09T09:30:00+00:00",
    "next_reminder_at": "2026-03-05T09:30:00+00:00",
    "verified_at": None,
    "ended_at": None,
    "payment": PAYMENT,
    "payouts": [],
    "refunds": [],
    "holds": [],
    "release_waits_for": [],
    "dispute": None,
}
ENGAGEMENT = {"status": "ACTIVE", "confirmed": ["SCOPE_BY_PAYER", "SCOPE_BY_PAYEE", "FEE"], "missing": []}
PROJECT = {
    "id": 12,
    "bid_reference": "bid-2026-0042",
    "title": "New kitchen",
    "scope": SCOPE,
    "project_type": "KITCHEN",
    "fee_mode": "STAGED",
    "funding": "IN_TURN",
    "status": "ACTIVE",
    "payer": PAYER,
    "payee": PAYEE,
    "total": usd(100_000),
    "created_at": AT,
    "completed_at": None,
    "engagement": ENGAGEMENT,
    "milestones": [MILESTONE],
}
INSTALMENT = {
    "milestone": 31,
    "position": 1,
    "title": "Cabinets",
    "status": "AWAITING_FUNDING",
    "amount": usd(100_000),
    "platform_fee": usd(2_500),
    "processing_fee": usd(3_092),
    "charge": usd(105_592),
    "charges_so_far": usd(105_592),
}
REQUEST = {
    "party": PAYEE,
    "kind": "DOCUMENT",
    "question": "Please send the delivery note of the worktop.",
    "asked_at": AT,
    "due_at": LATER,
}
DECISION = {
    "status": "EXECUTED",
    "outcome": "PARTIAL_RELEASE",
    "ground": "PARTIAL_WORK",
    "release": usd(60_000),
    "refund": usd(40_000),
    "execute_at": LATER,
    "executed_at": LATER,
    "emails": [310, 311],
}
DISPUTE = {
    "id": 9,
    "milestone": 31,
    "status": "WAITING_PARTY",
    "escalated": False,
    "reason": "DEFECTIVE",
    "details": "The left cabinet leans by a hand's width.",
    "opened_at": AT,
    "mediation_due_at": LATER,
    "in_mediation_at": AT,
    "decision_due_at": LATER,
    "waiting_on": PAYEE,
    "answer_due_at": LATER,
    "request": REQUEST,
    "resolved_at": None,
    "resolution": None,
    "decision": None,
}
MESSAGE = {"id": 204, "milestone": 31, "dispute": 9, "at": AT}
SAID = {**MESSAGE, "author": "party", "party": PAYEE, "body": "We will straighten it on Monday."}
BANK = {"currency": "USD", "last4": "6789", "usable": True}
ACCOUNT = {
    "can_be_paid": False,
    "transfers": "inactive",
    "payouts_enabled": False,
    "details_submitted": True,
    "currently_due": ["individual.verification.document"],
    "past_due": ["individual.verification.document"],
    "pending_verification": [],
    "due_at": None,
    "disabled_reason": "requirements.past_due",
    "reason": "Stripe needs details from the payee that are past due (identity document).",
    "banks": [BANK],
    "as_of": AT,
}
RATING = {"tenths": 43, "reviews": 3, "at": LATER}
REVIEW = {"author": PAYER, "about": PAYEE, "at": AT, "stars": 5, "body": "On time and tidy."}
OFFER = {
    "id": 5,
    "dispute": 9,
    "proposed_by": PAYEE,
    "release": usd(70_000),
    "refund": usd(30_000),
    "note": "For the cabinet that leans.",
    "status": "OPEN",
    "made_at": AT,
    "expires_at": LATER,
    "ended_at": None,
}
EVENT = {
    "id": "evt_17",
    "kind": "milestone.status_changed",
    "sequence": 17,
    "created_at": AT,
    "data": {
        "project": 12,
        "bid_reference": "bid-2026-0042",
        "milestone": 31,
        "position": 1,
        "from": "FUNDED",
        "to": "PENDING_VERIFICATION",
        "outcome": None,
    },
    "status": "SENT",
    "tries": 1,
    "sent_at": AT,
}
EVIDENCE = {
    "id": 77,
    "milestone": 31,
    "dispute": 9,
    "party": PAYER,
    "kind": "IMAGE",
    "file_name": "cabinet.jpg",
    "media_type": "image/jpeg",
    "size_bytes": 482_113,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "caption": "After a week.",
    "at": AT,
}
REPORT = {
    "id": 3,
    "project": 12,
    "milestone": 31,
    "external_id": None,
    "kind": "OFF_PLATFORM_CONTACT",
    "source": "PERSON",
    "severity": "MEDIUM",
    "party": PAYER,
    "about": PAYEE,
    "at": AT,
    "outcome": "UPHELD",
    "settled_at": LATER,
}
RECEIPT = {
    "id": 17,
    "number": "R-2026-000017",
    "kind": "FUNDING",
    "milestone": 31,
    "payer": PAYER,
    "payee": PAYEE,
    "lines": [
        {"label": "Milestone amount", "amount": usd(100_000)},
        {"label": "Platform fee", "amount": usd(2_500)},
        {"label": "Processing fee", "amount": usd(3_092)},
    ],
    "total": usd(105_592),
    "scope_sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "at": AT,
}
CHARGEBACK = {
    "id": 2,
    "milestone": 31,
    "status": "needs_response",
    "reason": "product_not_received",
    "amount": usd(105_592),
    "opened_at": AT,
    "due_by": LATER,
    "closed_at": None,
}
REVIEWED = {"id": 5, "milestone": 31, "opened_at": AT, "cleared_at": LATER}
EMAIL = {
    "id": 310,
    "party": PAYER,
    "kind": "decision_partial_release",
    "project": 12,
    "milestone": 31,
    "dispute": 9,
    "subject": "Your dispute is decided",
    "urgent": True,
    "status": "SENT",
    "written_at": LATER,
    "sent_at": LATER,
}
PARTY = {
    "external_id": PAYEE,
    "role": "PAYEE",
    "city": "Portland",
    "country": "US",
    "withdrawal_method": "standard",
    "known_to_provider": True,
    "account": ACCOUNT,
    "rating": RATING,
}
OF_PAYMENT = {"milestone": 31, "project": 12, "payer": PAYER, "funded_at": AT, **PAYMENT}
ENDPOINT = {
    "id": 2,
    "url": "https://market.example/events",
    "last_sequence": 17,
    "waiting": 0,
    "failed": 0,
}

REQUESTS: Mapping[str, Any] = {
    "Amount": usd(104_356),
    "Share": usd(70_000),
    "NewParty": {
        "external_id": PAYEE,
        "role": "PAYEE",
        "name": "Ben Okafor",
        "email": "ben@example.com",
        "city": "Portland",
        "country": "US",
    },
    "ProviderAccount": {"party": PAYEE, "currency": "USD", "bank_token": "btok_1PqXyZ"},
    "AccountLink": {
        "party": PAYEE,
        "type": "onboarding",
        "refresh_url": "https://market.example/payouts/again",
        "return_url": "https://market.example/payouts/done",
    },
    "AcceptedBid": {
        "bid_reference": "bid-2026-0042",
        "payer": PAYER,
        "payee": PAYEE,
        "title": "New kitchen",
        "scope": SCOPE,
        "project_type": "KITCHEN",
        "fee_mode": "STAGED",
        "total": usd(100_000),
        "funding": "IN_TURN",
    },
    "ByParty": {"party": PAYEE},
    "Confirmation": {"party": PAYER, "part": "SCOPE_BY_PAYER"},
    "Planned": {
        "title": "Cabinets",
        "deliverable": "Cabinets hung and level.",
        "amount": usd(100_000),
        "acceptance_rule": "AUTO_RELEASE",
        "target_date": "2026-04-01",
    },
    "Adjustment": {
        "party": PAYER,
        "milestones": [
            {"title": "Cabinets", "deliverable": "Hung and level.", "amount": usd(60_000)},
            {"title": "Worktop", "deliverable": "Cut, fitted and sealed.", "amount": usd(40_000)},
        ],
    },
    "FundingRequest": {"party": PAYER, "milestones": [31]},
    "FundingChoice": {"party": PAYER, "funding": "AHEAD"},
    "Dispute": {
        "party": PAYER,
        "reason": "DEFECTIVE",
        "details": "The left cabinet leans by a hand's width.",
    },
    "Details": {"party": PAYER, "details": "See the photograph of 2 March."},
    "Rework": {"party": PAYEE, "details": "Hung anew, and the wall plug replaced."},
    "Complaint": {"party": PAYER, "reason": "The drawer sticks since yesterday."},
    "MessageRequest": {"party": PAYEE, "body": "We will straighten it on Monday."},
    "ReportRequest": {
        "party": PAYER,
        "kind": "OFF_PLATFORM_CONTACT",
        "details": "Asked me to pay in cash.",
        "milestone": 31,
    },
    "ContentEvent": {
        "external_id": "cre-90210",
        "kind": "THREAT",
        "severity": "SEVERE",
        "details": "Rule 7 in message 8812.",
    },
    "Mismatch": {"licensed_in": "Oregon", "needed_in": "Texas"},
    "Resolution": {"resolution": "Admitted in Texas since 2024, bar number checked."},
    "Review": {"party": PAYER, "stars": 5, "body": "On time and tidy."},
    "Proposal": {"party": PAYEE, "release": usd(70_000), "note": "For the cabinet that leans."},
    "Preferences": {"party": PAYEE, "frequency": "DAILY", "muted": ["thanks"]},
    "Withdrawal": {"party": PAYEE, "method": "instant"},
    "Replay": {"after": 16},
}
LISTED: Mapping[str, Any] = {
    "Projects": PROJECT,
    "Milestones": MILESTONE,
    "Disputes": DISPUTE,
    "Payments": OF_PAYMENT,
    "Payouts": PAYOUT,
    "Refunds": REFUND,
    "Receipts": RECEIPT,
    "Chargebacks": CHARGEBACK,
    "Holds": HOLD,
    "ManualReviews": REVIEWED,
    "Reports": REPORT,
    "Parties": PARTY,
    "Evidences": EVIDENCE,
    "Emails": EMAIL,
    "Messages": SAID,
    "Offers": OFFER,
    "Events": EVENT,
}
REPLIES: Mapping[str, Any] = {
    **{f"{name}Answer": {"items": [one], "has_more": False, "next": None} for name, one in LISTED.items()},
    "PaymentOfMilestoneAnswer": OF_PAYMENT,
    "PayoutAnswer": PAYOUT,
    "RefundAnswer": REFUND,
    "ReceiptAnswer": RECEIPT,
    "ChargebackAnswer": CHARGEBACK,
    "HoldAnswer": HOLD,
    "ManualReviewAnswer": REVIEWED,
    "ReportAnswer": REPORT,
    "PartyAnswer": PARTY,
    "EvidenceAnswer": EVIDENCE,
    "EmailAnswer": EMAIL,
    "EmailTextAnswer": {
        **EMAIL,
        "text": "A mediator has decided …",
        "html": "<p>A mediator has decided …</p>",
    },
    "MoneyAnswer": usd(100_000),
    "RatingAnswer": RATING,
    "AccountAnswer": ACCOUNT,
    "BankAnswer": BANK,
    "AccountLinkAnswer": {
        "url": "https://connect.stripe.com/setup/c/acct_1Mt0CORHFI4mz9Rw/TqckGNUHg2mG",
        "expires_at": "2026-03-02T09:35:00+00:00",
    },
    "PreferencesAnswer": {
        "party": PAYEE,
        "frequency": "DAILY",
        "muted": ["thanks"],
        "mutable": ["next_milestone_active", "project_review_request", "thanks"],
        "changed_at": AT,
    },
    "PaymentAnswer": PAYMENT,
    "MilestoneAnswer": MILESTONE,
    "EngagementAnswer": ENGAGEMENT,
    "ProjectAnswer": PROJECT,
    "InstalmentAnswer": INSTALMENT,
    "ScheduleAnswer": {"project": 12, "instalments": [INSTALMENT], "total": usd(105_592)},
    "RequestAnswer": REQUEST,
    "DecisionAnswer": DECISION,
    "DisputeAnswer": DISPUTE,
    "MessageAnswer": MESSAGE,
    "SaidAnswer": SAID,
    "PracticeAnswer": {
        "id": 4,
        "project": 12,
        "licensed_in": "Oregon",
        "needed_in": "Texas",
        "at": AT,
        "resolved_at": None,
    },
    "ReviewAnswer": REVIEW,
    "FinalRatingAnswer": {"party": PAYEE, **RATING},
    "ReviewsAnswer": {
        "project": 12,
        "asked_at": AT,
        "due_at": LATER,
        "opened_at": LATER,
        "reviews": [REVIEW],
        "ratings": [{"party": PAYEE, **RATING}],
    },
    "OfferAnswer": OFFER,
    "EventAnswer": EVENT,
    "EndpointAnswer": ENDPOINT,
    "EndpointsAnswer": {"endpoints": [ENDPOINT]},
    "ReplayAnswer": {"endpoint": 2, "queued": 4},
}
EXAMPLES: Mapping[str, Any] = {
    **REQUESTS,
    **REPLIES,
    "Body_hand_in_evidence": {
        "party": PAYER,
        "file": "(the bytes of cabinet.jpg)",
        "caption": "After a week.",
    },
}
