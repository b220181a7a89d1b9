"""About a party and no project of theirs. What they are paid to, and where we write to, was changed: told at the old
address too, in case it was not them. All payments to them are looked at."""

from __future__ import annotations

from core.letters.template import Table, Template

_NOT_YOU = "If you did not make this change, contact us at once."
_EMAIL_CHANGED = Template(
    "Your e-mail address was changed",
    (
        "The e-mail address that we write to about your payments was changed. This e-mail goes to the old address and "
        "to the new one.",
        Table((("Changed on", "at"),)),
        _NOT_YOU,
    ),
    tone="attention",
)

TEMPLATES = {
    ("bank_changed", "payee"): Template(
        "A new bank account for payouts to you in {currency}",
        (
            "From now on, payouts to you in {currency} go to a new bank account.",
            Table(
                (
                    ("Account before", "before?"),
                    ("Account now", "after"),
                    ("Payouts wait until", "held_until"),
                )
            ),
            "To protect you, no payout goes to the new account before then.",
            _NOT_YOU,
        ),
        tone="attention",
    ),
    ("bank_accepted", "payee"): Template(
        "Payouts go to your new bank account",
        (
            "We have checked the change of your bank account. Payouts to you in {currency} go to the new account and "
            "no longer wait.",
            Table((("Account now", "after"),)),
            _NOT_YOU,
        ),
        tone="attention",
    ),
    ("bank_wait_extended", "payee"): Template(
        "Payouts to your new bank account wait longer",
        (
            "We are checking the change of your bank account. Payouts to you in {currency} wait longer.",
            Table((("Account now", "after"), ("Payouts wait until", "held_until"))),
            "If you made this change, no action is needed unless we ask you. " + _NOT_YOU,
        ),
        tone="attention",
    ),
    ("bank_refused", "payee"): Template(
        "Your new bank account was refused",
        (
            "We make no payouts to the bank account that was given for you in {currency}. What you are owed stays "
            "yours and waits until you give another bank account.",
            Table((("Account refused", "after"),)),
            _NOT_YOU,
        ),
        tone="attention",
    ),
    ("payee_hold_placed", "payee"): Template(
        "Payments to you are under review",
        (
            "We are taking a closer look before money for your work moves on to you. Until then nothing is released or "
            "paid out, for any of your milestones. Such a review is no judgement about you or your work.",
            "No action is needed unless we ask you. We will write when the review is over.",
        ),
        tone="attention",
    ),
    ("payee_hold_lifted", "payee"): Template(
        "The review of payments to you is over",
        (
            "We have finished our review of the payments to you. What nothing else stops goes on as before.",
            "No action is needed.",
        ),
        tone="good",
    ),
    ("debt_reminder", "payee"): Template(
        "You owe us {owed}",
        (
            "After a chargeback, or for the fee of a payout, you owe us money. We keep it back from the next payments "
            "for your work.",
            Table((("Owed", "owed"), ("Due now", "due"))),
            "If you do not expect another payment, or if you think that this is wrong, contact us.",
        ),
        tone="attention",
    ),
    ("repayment_plan_agreed", "payee"): Template(
        "You repay {owed} by instalments",
        (
            "We have agreed that you repay what you owe us by instalments. Until one falls due, we do not keep it back "
            "from the payments for your work; what has fallen due we do.",
            Table(
                (
                    ("Owed", "owed"),
                    ("Instalments", "count"),
                    ("First", "first"),
                    ("Due on", "first_due"),
                    ("Last", "last"),
                    ("Due on", "last_due"),
                )
            ),
            "If you think that this is wrong, contact us.",
        ),
        tone="plain",
    ),
    ("repayment_plan_ended", "payee"): Template(
        "What you owe is due at once: {owed}",
        (
            "The agreement that you repay by instalments has ended. What you still owe us is due now, and we keep it "
            "back from the next payments for your work.",
            Table((("Owed", "owed"),)),
            "If you think that this is wrong, contact us.",
        ),
        tone="attention",
    ),
    ("email_changed", "payer"): _EMAIL_CHANGED,
    ("email_changed", "payee"): _EMAIL_CHANGED,
}
ABOUT_THE_PARTY = frozenset(name for name, _ in TEMPLATES)
