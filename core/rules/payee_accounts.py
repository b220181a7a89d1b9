"""Whether a payee can be paid, and what the payment provider wants of them before: its words, and ours.

Requirements and reasons are Stripe's own names, which grow; one that nobody here knows is shown as it is spelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError
from core.rules.refusal_reasons import Block


class Transfers(StrEnum):
    """The capability to receive transfers, as Stripe spells it."""

    ACTIVE = "active"
    PENDING = "pending"
    INACTIVE = "inactive"
    UNREQUESTED = "unrequested"


class BankDecision(StrEnum):
    """What two people may decide about a payee's new bank account."""

    ACCEPT = "ACCEPT"
    """Payouts go to it at once."""
    EXTEND = "EXTEND"
    """Payouts wait longer."""
    REFUSE = "REFUSE"
    """None goes to it; they wait for another bank account."""


class BankChangeState(StrEnum):
    """What became of a new bank account."""

    WAITS = "WAITS"
    REFUSED = "REFUSED"
    IN_USE = "IN_USE"
    UNUSABLE = "UNUSABLE"
    """A payout came back from it since."""
    REPLACED = "REPLACED"


@dataclass(frozen=True)
class BankWait:
    """Why payouts in a currency wait for its bank account: it was replaced, and its time is `until`; or somebody
    proposed to refuse it or to wait longer, and it has no time (None); or it was `refused`."""

    until: datetime | None = None
    refused: bool = False


class CurrencyNotTaken(DeskError):
    """{party} has no bank account that takes {currency}, only {taken}. Agree on one of these, or have {party} add a
    bank account in {currency} first."""


REASONS: Mapping[str, str] = {
    "action_required.requested_capabilities": "Stripe was not asked to let this account receive money",
    "listed": "Stripe is checking whether the payee is on a list of prohibited persons",
    "other": "Stripe is reviewing the account",
    "platform_paused": "we have paused payouts on the account",
    "rejected.fraud": "Stripe rejected the account because it suspects fraud",
    "rejected.incomplete_verification": "Stripe rejected the account because the payee was not verified in time",
    "rejected.listed": "Stripe rejected the account because the payee is on a list of prohibited persons",
    "rejected.other": "Stripe rejected the account",
    "rejected.platform_fraud": "we rejected the account because of fraud",
    "rejected.platform_other": "we rejected the account",
    "rejected.platform_terms_of_service": "we rejected the account because of our terms of service",
    "rejected.terms_of_service": "Stripe rejected the account because of its terms of service",
    "requirements.past_due": "Stripe needs details from the payee that are past due",
    "requirements.pending_verification": "Stripe is verifying the payee's details",
    "under_review": "Stripe is reviewing the account",
}
BANK = "bank account"
REQUIREMENTS: Mapping[str, str] = {
    "business_profile": "business details",
    "business_type": "type of business",
    "company": "company details",
    "external_account": BANK,
    "individual.address": "address",
    "individual.dob": "date of birth",
    "individual.email": "e-mail address",
    "individual.first_name": "first name",
    "individual.id_number": "ID number",
    "individual.last_name": "last name",
    "individual.phone": "phone number",
    "individual.ssn_last_4": "ID number",
    "individual.verification.additional_document": "second identity document",
    "individual.verification.document": "identity document",
    "tos_acceptance": "acceptance of Stripe's terms",
}


@dataclass(frozen=True)
class AccountFacts:
    """A payee's account as it was read last; `banks`: the currencies that a usable bank account takes; `new_banks`:
    why payouts in a currency wait because its bank account is another one. `unusable`: the currencies whose bank
    account sent a payout back, and is to be replaced."""

    can_be_paid: bool
    disabled_reason: str | None = None
    past_due: tuple[str, ...] = ()
    currently_due: tuple[str, ...] = ()
    due_at: datetime | None = None
    banks: frozenset[str] = field(default_factory=frozenset)
    new_banks: Mapping[str, BankWait] = field(default_factory=dict)
    unusable: frozenset[str] = field(default_factory=frozenset)


def blocking(account: AccountFacts | None, currency: str) -> tuple[Block, ...]:
    """Why money in this currency cannot go to the payee's bank. Of an account that was never read nothing is known,
    and Stripe itself says no."""
    return tuple(_reasons(account, currency)) if account is not None else ()


def _reasons(account: AccountFacts, currency: str) -> Iterator[Block]:
    if not account.can_be_paid:
        yield Block("payee_account", f"The payee cannot be paid yet: {reason(account)}.")
    if account.banks and currency not in account.banks:
        taken = " and ".join(sorted(account.banks))
        yield Block("payee_bank_currency", f"The payee's bank accounts take {taken}, not {currency}.")
    if wait := account.new_banks.get(currency):
        yield _new_bank(wait)


def _new_bank(wait: BankWait) -> Block:
    if wait.refused:
        return Block(
            "bank_refused",
            "The payee's new bank account was refused. Payouts wait until they give another one.",
        )
    until = f"{wait.until:%-d %b %Y, %H:%M} UTC" if wait.until else "it is decided whether it may be paid"
    return Block(
        "bank_changed",
        f"The payee's bank account was changed. Payouts to the new one wait until {until}, in case somebody else "
        "changed it.",
    )


def reason(account: AccountFacts) -> str:
    """In words, without a full stop: why the account is disabled, and what is past due."""
    code = account.disabled_reason
    why = REASONS.get(code, f"Stripe gives the reason “{code}”") if code else "its account is not active"
    if code == "requirements.past_due" and account.past_due:
        return f"{why} ({', '.join(in_words(account.past_due))})"
    return why


def to_give(account: AccountFacts, currency: str) -> str | None:
    """What the payee must give before money in this currency can go to their bank; None where nothing that they give
    is known to help."""
    wanted: Sequence[str] = ()
    if account.disabled_reason == "requirements.past_due":
        wanted = in_words(account.past_due)
    elif account.can_be_paid and (account.banks or account.unusable) and currency not in account.banks:
        wanted = [BANK]
    bank = f"another {BANK}" if currency in account.unusable else f"a {BANK} in {currency}"
    return ", ".join(bank if each == BANK else each for each in wanted) or None


def in_words(requirements: Sequence[str]) -> list[str]:
    """Stripe's names of what it wants, in words, each once: `individual.dob.day` is the date of birth."""
    return list(dict.fromkeys(_word(each) for each in requirements))


def _word(name: str) -> str:
    known = [words for stem, words in REQUIREMENTS.items() if f"{name}.".startswith(f"{stem}.")]
    return known[-1] if known else name


def require_taken(account: AccountFacts | None, currency: str, *, party: str) -> None:
    """Before money is promised or moves: where the payee's banks are known, one takes this currency. Where there is
    none yet, it is asked for later. Raises `CurrencyNotTaken`."""
    if account is not None and account.banks and currency not in account.banks:
        taken = " and ".join(sorted(account.banks))
        raise CurrencyNotTaken(party=party, currency=currency, taken=taken)
