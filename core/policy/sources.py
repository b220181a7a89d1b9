"""The lines of a profile: what each is called, and where its number comes from on either platform.

Where a specification names no number, the source says "internal policy".
"""

from __future__ import annotations

from collections.abc import Mapping

FLOW = "milestone-payment-flow"
RULES = "payment-escrow-rules"
CHOICE = "internal policy"

_KEY = f"{FLOW}, Key Business Rules"
_WITHDRAWAL = f"{_KEY} 4: variable by withdrawal method; the amounts are {CHOICE}"

# field: (label, source for home services, source for legal services)
LINES: Mapping[str, tuple[str, str, str]] = {
    "platform_fee_bps": ("Platform fee, paid by the payer on top", f"{_KEY} 4", CHOICE),
    "processor_bps": ("Processing fee, passed through to the payer", f"{_KEY} 4", CHOICE),
    "processor_fixed": ("Processing fee, fixed part", f"{_KEY} 4", CHOICE),
    "standard": ("Withdrawal fee, standard", _WITHDRAWAL, CHOICE),
    "instant": ("Withdrawal fee, instant", _WITHDRAWAL, CHOICE),
    "check": ("Withdrawal fee, check, not offered", _WITHDRAWAL, CHOICE),
    "wire": ("Withdrawal fee, wire, not offered", _WITHDRAWAL, CHOICE),
    "reminders": ("Reminders to verify", f"{_KEY} 2", "no reminders"),
    "first_reminder_after": ("First reminder to verify", f"{_KEY} 2", "no reminders"),
    "reminder_every": ("Then a reminder every", f"{_KEY} 2", "no reminders"),
    "dispute_window": (
        "Dispute window after the notice",
        f"{_KEY} 3",
        f"{RULES}, Release Rules: until release",
    ),
    "auto_approve": ("Auto-approval", f"{_KEY} 5", f"{RULES}, Milestone Rules: by acceptance rule"),
    "auto_approve_after": ("Silence needed for approval", f"{_KEY} 5", f"{RULES}, Release Rules: 72h"),
    "consultation_grace": ("Grace after a consultation", "no consultations", f"{RULES}, Release Rules: 24h"),
    "mediation_after": ("Mediation after a dispute opened", f"{_KEY} 6", "a case under review"),
    "deadlock_after": (
        "Deadlock, to the administrators",
        f"{FLOW}, Error Handling 3; the time is {CHOICE}",
        CHOICE,
    ),
    "high_value_review": (
        "High-value review above",
        CHOICE,
        f"{RULES}, Risk Controls; the amount is {CHOICE}",
    ),
    "second_person_above": ("Second person to decide or to lift a hold above", CHOICE, CHOICE),
    "decisions_a_day": ("Decisions for one beneficiary in 24 h without a second person", CHOICE, CHOICE),
    "cooling_off": ("Cooling-off before a decision is executed", CHOICE, CHOICE),
    "held_age_alarm": ("Alarm when funds are held for", CHOICE, CHOICE),
    "contact_attempts": (
        "Off-platform contact attempts before review",
        CHOICE,
        f"{RULES}, Risk Controls: repeated; the number is {CHOICE}",
    ),
    "contact_window": (
        "Attempts count together within",
        CHOICE,
        f"{RULES}, Risk Controls: repeated; the time is {CHOICE}",
    ),
    "bank_change_hold": ("Payouts wait after a change of the bank for", CHOICE, CHOICE),
    "documents_kept": ("Names stand in documents for, after a person is erased", CHOICE, CHOICE),
    "person_kept": ("A person is kept, after all of their projects ended, for", CHOICE, CHOICE),
    "newcomer_kept": ("A person without a project is kept for", CHOICE, CHOICE),
    "blind": ("Names hidden from a mediator until a draft is saved", CHOICE, CHOICE),
    "issuer_name": ("Issuer of receipts, invoices and credit notes", CHOICE, CHOICE),
    "issuer_address": ("Address of the issuer", CHOICE, CHOICE),
    "tax_id": ("Tax id of the issuer", CHOICE, CHOICE),
    "tax_bps": ("Tax included in documents", CHOICE, CHOICE),
}
