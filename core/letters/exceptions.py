"""When the ordinary way is closed: another method for a payee, another way for a refund, a payment that goes back."""

from __future__ import annotations

from core.letters.template import Schedule, Table, Template

TEMPLATES = {
    ("payment_returned", "payer"): Template(
        "We return a payment of {returned} to you",
        (
            "A payment of yours reached us that nothing was due for. We return all of it to the card or account that "
            "you paid with, at no cost to you.",
            Table((("Returned to you", "returned"),)),
            "Most banks show it within five to ten working days. No action is needed.",
        ),
        tone="good",
    ),
    ("payout_methods_offered", "payee"): Template(
        "Choose how we pay you {sent}",
        (
            "The payment for “{milestone}” did not go through. The money is safe and still yours. You can choose "
            "one of these ways on the platform; beside each stands what it costs you now:",
            Schedule("methods"),
            "If your bank details have changed, please correct them before you choose.",
        ),
        tone="attention",
    ),
    ("payout_method_chosen", "payee"): Template(
        "Your payment of {sent} is on its way again",
        (
            "We send the money for “{milestone}” in the way that you have chosen.",
            Table((("Method", "method"), ("Withdrawal fee", "withdrawal_fee"), ("You receive", "sent"))),
        ),
        tone="good",
    ),
    ("payout_method_changed", "payee"): Template(
        "Your payment of {sent} is on its way another way",
        (
            "The payment for “{milestone}” did not go through. Our staff has sent it again by another method.",
            Table((("Method", "method"), ("Withdrawal fee", "withdrawal_fee"), ("You receive", "sent"))),
        ),
        tone="good",
    ),
    ("payout_offer_withdrawn", "payee"): Template(
        "You no longer need to choose how we pay you {sent}",
        (
            "We have withdrawn the choice of payout methods for “{milestone}”. The money is safe and still yours. Our "
            "staff decides how it is sent, and we write to you when it is.",
        ),
        tone="attention",
    ),
    ("refund_returned", "payer"): Template(
        "Your refund of {refunded} was sent another way",
        (
            "The card or account that you paid with for “{milestone}” did not take your refund. We have sent it to you "
            "from our bank instead.",
            Table((("Refund", "refunded"), ("Way", "way"), ("Reference", "reference"))),
        ),
        tone="good",
    ),
    ("refund_return_failed", "payer"): Template(
        "Your refund of {refunded} did not reach you",
        (
            "Your refund for “{milestone}”, which was to come from our bank, did not arrive. We still owe it to you.",
            Table((("Refund", "refunded"), ("Reference", "reference"))),
            "Our staff is looking for another way and will write to you. No action is needed now.",
        ),
        tone="attention",
    ),
    ("chargeback_due", "staff"): Template(
        "Chargeback {chargeback}: response due by {due_by}",
        (
            "Without a response by then, the bank keeps the money; or may take it, if so far it has only asked. One "
            "person drafts the response, another sends it; or both agree to accept the chargeback.",
            Table((("Chargeback", "chargeback"), ("Disputed amount", "amount"), ("Response due", "due_by"))),
        ),
        tone="attention",
    ),
}
