"""Parties, payees' accounts at the payment provider, and payers' saved payment methods."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.names import CurrencyCode, MutableLetter
from core.api.models.responses.plain import Moment, PageAnswer
from core.api.models.responses.reviews import RatingAnswer
from core.api.models.responses.risk import PayeeHoldAnswer
from core.policy import WithdrawalMethod
from core.rules.languages import Language
from core.rules.notifications import Frequency
from core.rules.parties import PartyRole
from core.rules.payee_accounts import Transfers
from core.rules.payment_method_setups import SetupStatus


class BankAnswer(TypedDict):
    """Where payouts in this currency go; one that a payout came back from, or that is gone, is not usable. After a
    change payouts wait until `payouts_wait_until`. To one that was `refused` none goes: they wait for another one."""

    currency: CurrencyCode
    last4: str
    usable: bool
    payouts_wait_until: Moment | None
    refused: bool


class AccountAnswer(TypedDict):
    """A payee's account as the payment provider described it at `as_of`. What is due has the provider's own names, and
    so has `disabled_reason`; `reason` is for people."""

    can_be_paid: bool
    transfers: Transfers
    payouts_enabled: bool
    details_submitted: bool
    currently_due: list[str]
    past_due: list[str]
    pending_verification: list[str]
    due_at: Moment | None
    disabled_reason: str | None
    reason: str | None
    banks: list[BankAnswer]
    as_of: Moment


class AccountLinkAnswer(TypedDict):
    """Send the payee there at once: it is good for one visit, until it expires."""

    url: str
    expires_at: Moment


class PaymentMethodAnswer(TypedDict):
    """What a payer pays with, in the payment provider's words: `type` as `card` or `us_bank_account`, and null where it
    did not say. `saved`: it is kept for charges while the payer is away, because they saved it or paid with it while
    they were there; a bank account is debited only then, by the mandate that they gave."""

    type: str | None
    brand: str | None
    last4: str | None
    saved: bool


class PartyAnswer(TypedDict):
    """`payment_method`: a payer's; null while there is none, and nothing can be charged. `account`: a payee's, once it
    was read at the payment provider; its `banks` are empty until a bank account is known there. `holds`: those in place
    on all money of a payee that they were told of."""

    external_id: str
    role: PartyRole
    name: str
    email: str
    city: str
    country: str
    language: Language
    withdrawal_method: WithdrawalMethod
    known_to_provider: bool
    payment_method: PaymentMethodAnswer | None
    account: AccountAnswer | None
    holds: list[PayeeHoldAnswer]
    rating: RatingAnswer | None


class PartiesAnswer(PageAnswer):
    items: list[PartyAnswer]


class PreferencesAnswer(TypedDict):
    """`mutable`: what may be muted at all."""

    party: str
    frequency: Frequency
    muted: list[MutableLetter]
    mutable: list[MutableLetter]
    changed_at: Moment | None


class SetupDeclineAnswer(TypedDict):
    """`code` for the program, `sentence` for the payer."""

    code: str | None
    sentence: str


class SetupAnswer(TypedDict):
    """`client_secret` is answered once, where the saving begins. `decline`: why it was refused last."""

    id: int
    party: str
    status: SetupStatus
    client_secret: str | None
    decline: SetupDeclineAnswer | None
