"""What wins a chargeback, reason by reason: which of the bank's fields to fill, and with what.

The reasons are the provider's words (Stripe API, Dispute: `reason`; docs.stripe.com/disputes/categories), the fields
those of its Dispute evidence object, and what belongs into each is what its documentation of that field and of the
category asks for, put in the words of services that are paid by milestone. `decisive`: without it such a chargeback is
rarely won. Where a refund was made already, that is the answer, whatever the reason (Stripe, Dispute evidence
guidelines: proof that the customer was compensated discredits the claim).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """One line of a checklist. `fields`: the bank's fields, each of which would do."""

    fields: tuple[str, ...]
    what: str
    decisive: bool = False


@dataclass(frozen=True)
class Checklist:
    """`claim`: what the payer says; `wins`: what has to be shown against it."""

    title: str
    claim: str
    wins: str
    needs: tuple[Need, ...]


WHO = Need(("customer_name", "customer_email_address"), "Who the payer is")
WHAT = Need(("product_description",), "What was sold, as it was agreed")
WHEN = Need(("service_date",), "When the service was provided", decisive=True)
DONE = Need(
    ("service_documentation",), "Proof that the work was done: report, photos, sign-off", decisive=True
)
TALK = Need(("customer_communication",), "Correspondence with the payer about the work")
PAID = Need(("receipt",), "The receipt that the payer was sent")
SIGNED = Need(("customer_signature",), "The contract or the confirmation of the scope by the payer")
LOG = Need(("access_activity_log",), "What the payer did on the marketplace, with times")
SHOWN = Need(("refund_policy_disclosure", "refund_policy"), "How the payer was shown the refund rules")
REST = Need(("uncategorized_text", "uncategorized_file"), "Anything else that the bank should know")

GENERAL = Checklist(
    "General",
    "The payer gave their bank no reason that has a category of its own.",
    "Show who paid, what for, and that it was done.",
    (WHO, WHAT, WHEN, DONE, TALK, PAID, REST),
)
AUTHORIZED = (
    WHO,
    Need(LOG.fields, LOG.what, decisive=True),
    Need(TALK.fields, TALK.what, decisive=True),
    SIGNED,
    WHAT,
    WHEN,
    DONE,
    PAID,
)
FRAUDULENT = Checklist(
    "Fraudulent",
    "The payer says that they did not authorize the payment.",
    "Show that the holder of the card, or somebody they let use it, ordered the work and dealt with us about it.",
    AUTHORIZED,
)
CHECKLISTS: Mapping[str, Checklist] = {
    "fraudulent": FRAUDULENT,
    "unrecognized": Checklist(
        "Unrecognized",
        "The payer does not recognize the payment on their statement.",
        "Show the payer what it was for: they ordered it, were sent a receipt and dealt with us about it.",
        (Need(PAID.fields, PAID.what, decisive=True), *AUTHORIZED[:-1]),
    ),
    "product_not_received": Checklist(
        "Product not received",
        "The payer says that the work was not done.",
        "Show that the work was done, when, and that the payer knew.",
        (WHEN, DONE, Need(TALK.fields, TALK.what, decisive=True), WHAT, LOG, PAID, SIGNED, WHO),
    ),
    "product_unacceptable": Checklist(
        "Product unacceptable",
        "The payer says that the work is faulty or not what was agreed.",
        "Show what was agreed, that the work is that, and that faults were dealt with or no refund is due.",
        (
            Need(WHAT.fields, WHAT.what, decisive=True),
            DONE,
            Need(
                ("refund_refusal_explanation",),
                "Why no refund is due, or what was done about it",
                decisive=True,
            ),
            TALK,
            SIGNED,
            SHOWN,
            WHEN,
            PAID,
            WHO,
        ),
    ),
    "duplicate": Checklist(
        "Duplicate",
        "The payer says that they paid twice for the same.",
        "Show that the two payments are for different things, or that one of them was refunded.",
        (
            Need(("duplicate_charge_explanation",), "What each of the two payments is for", decisive=True),
            Need(("duplicate_charge_id",), "The other payment, by its number at Stripe"),
            Need(
                ("duplicate_charge_documentation",),
                "Receipts of both payments, or the credit note of the one refunded",
                decisive=True,
            ),
            PAID,
            TALK,
            WHAT,
            WHO,
        ),
    ),
    "credit_not_processed": Checklist(
        "Credit not processed",
        "The payer says that a refund is due and did not come.",
        "Show the refund, or that none is due by the rules that the payer had accepted.",
        (
            Need(
                ("refund_refusal_explanation",), "That it was refunded, or why nothing is due", decisive=True
            ),
            Need(SHOWN.fields, SHOWN.what, decisive=True),
            Need(("uncategorized_file",), "The credit note of the refund, or the refund rules"),
            TALK,
            WHEN,
            DONE,
            PAID,
            WHO,
        ),
    ),
    "subscription_canceled": Checklist(
        "Subscription canceled",
        "The payer says that they had canceled what they were charged for.",
        "Show that it was not canceled before the payment, and how the payer was told the rules.",
        (
            Need(("cancellation_rebuttal",), "Why the cancellation does not hold", decisive=True),
            Need(
                ("cancellation_policy_disclosure", "cancellation_policy"),
                "How the payer was shown the cancellation rules",
                decisive=True,
            ),
            LOG,
            TALK,
            WHAT,
            PAID,
            WHO,
        ),
    ),
    "noncompliant": Checklist(
        "Noncompliant",
        "The payer's bank says that a rule of its card network was broken. Stripe may charge a fee for contesting it.",
        "Show that the rule was kept.",
        GENERAL.needs,
    ),
    "debit_not_authorized": Checklist(
        "Debit not authorized", FRAUDULENT.claim, FRAUDULENT.wins, FRAUDULENT.needs
    ),
    "general": GENERAL,
}


def checklist(reason: str) -> Checklist:
    """That of the reason; the general one for what has none of its own."""
    return CHECKLISTS.get(reason, GENERAL)


def fields_in_order(reason: str, every: Sequence[str]) -> list[str]:
    """The bank's fields, those of the checklist first."""
    first = [field for need in checklist(reason).needs for field in need.fields if field in every]
    return list(dict.fromkeys([*first, *every]))


def missing(reason: str, filled: Collection[str]) -> list[Need]:
    """The decisive lines of the checklist that nothing of the answer meets."""
    return [need for need in checklist(reason).needs if need.decisive and not set(need.fields) & set(filled)]
