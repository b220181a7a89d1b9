"""The chart of accounts: which accounts there are, on which side they grow, and what the database checks of them.

An account is a code and a currency. A code is one line of the chart (`stripe_balance`), or a line and the object it is
kept for (`held:17`: what is held for milestone 17). The database opens an account when it is first posted to, by this
same chart (table `chart`; a test holds the two together).

* Every account that is not `hot` is checked at every posting: nobody can be paid out of money that is not there.
* A `hot` one cannot be. What so many journals touch would make every journal wait for every other if it had a balance
  row; so it has none and is read as roll-up and tail. These are income, expense, and mirrors of what Stripe and the
  bank say, which is booked and never refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors import DeskError
from core.money import UnknownCurrency


class Kind(StrEnum):
    ASSET = "asset"
    EXPENSE = "expense"
    LIABILITY = "liability"
    INCOME = "income"


class Side(StrEnum):
    """The side of a posting, and the side on which an account grows: debits are written > 0, credits < 0."""

    DEBIT = "debit"
    CREDIT = "credit"


class Book(StrEnum):
    """A journal lies in one book, so each book balances by itself."""

    PLATFORM = "platform"
    PAYEE = "payee"
    """Memo: the payees' own money on their Stripe accounts, which was never the platform's."""


class AccountUnknown(DeskError):
    """There is no account {code} in the chart of accounts."""


@dataclass(frozen=True)
class Line:
    """One line of the chart. `per` names the kind of object that each account of the line is kept for.

    The number says what the database has to know of it at every posting: 128 hot, 64 in the payees' book. Hot
    lines of which there is only one account a currency stand together: those that are posted to all the time from 129
    to 139, which posting takes without looking them up, and the others after them.
    """

    number: int
    name: str
    kind: Kind
    title: str
    per: str | None = None

    @property
    def hot(self) -> bool:
        return bool(self.number & 128)

    @property
    def book(self) -> Book:
        return Book.PAYEE if self.number & 64 else Book.PLATFORM

    @property
    def side(self) -> Side:
        return Side.DEBIT if self.kind in (Kind.ASSET, Kind.EXPENSE) else Side.CREDIT


_LINES = (
    Line(1, "held", Kind.LIABILITY, "Client funds held", per="milestone"),
    Line(2, "refund_payable", Kind.LIABILITY, "Refunds payable", per="milestone"),
    Line(3, "deferred_platform_fee", Kind.LIABILITY, "Deferred platform fees", per="milestone"),
    Line(4, "payee_payable", Kind.LIABILITY, "Payee payables", per="party"),
    Line(5, "receivable_payee", Kind.ASSET, "Receivables from payees", per="party"),
    Line(6, "unapplied_funds", Kind.LIABILITY, "Unapplied receipts"),
    Line(7, "disputed_funds", Kind.ASSET, "Disputed funds"),
    Line(8, "payout_in_transit", Kind.ASSET, "Platform payouts in transit"),
    Line(129, "stripe_balance", Kind.ASSET, "Cash at Stripe"),
    Line(130, "platform_fee_revenue", Kind.INCOME, "Platform fees earned"),
    Line(131, "processing_fee_recovery", Kind.INCOME, "Processing fee recoveries"),
    Line(132, "withdrawal_fee_revenue", Kind.INCOME, "Withdrawal fees"),
    Line(133, "processor_fees", Kind.EXPENSE, "Processing fees, estimated"),
    Line(134, "fee_variance", Kind.EXPENSE, "Processing fee variance"),
    Line(135, "dispute_fees", Kind.EXPENSE, "Chargeback fees"),
    Line(136, "chargeback_losses", Kind.EXPENSE, "Chargeback losses"),
    Line(137, "refund_concession", Kind.EXPENSE, "Refund concessions"),
    Line(138, "bank", Kind.ASSET, "Bank"),
    Line(139, "suspense", Kind.LIABILITY, "Suspense"),
    Line(140, "exchange_difference", Kind.EXPENSE, "Exchange differences"),
    Line(193, "connected_claim", Kind.LIABILITY, "Payees' claim (memorandum)"),
    Line(194, "connected_balance", Kind.ASSET, "Payee's balance at Stripe (memorandum)", per="party"),
    Line(195, "connected_in_transit", Kind.ASSET, "Payee's payouts in transit (memorandum)", per="party"),
)

CHART: Mapping[str, Line] = {line.name: line for line in _LINES}
BY_NUMBER: Mapping[int, Line] = {line.number: line for line in _LINES}

CURRENCY_BY_NUMBER: Mapping[int, str] = {
    840: "USD",
    978: "EUR",
    826: "GBP",
    124: "CAD",
    36: "AUD",
    756: "CHF",
    392: "JPY",
    414: "KWD",
}
ISO_NUMBERS: Mapping[str, int] = {code: number for number, code in CURRENCY_BY_NUMBER.items()}

STRIPE_BALANCE = "stripe_balance"
BANK = "bank"
PAYOUT_IN_TRANSIT = "payout_in_transit"
DISPUTED_FUNDS = "disputed_funds"
UNAPPLIED_FUNDS = "unapplied_funds"
SUSPENSE = "suspense"
PLATFORM_FEE_REVENUE = "platform_fee_revenue"
PROCESSING_FEE_RECOVERY = "processing_fee_recovery"
WITHDRAWAL_FEE_REVENUE = "withdrawal_fee_revenue"
PROCESSOR_FEES = "processor_fees"
FEE_VARIANCE = "fee_variance"
DISPUTE_FEES = "dispute_fees"
CHARGEBACK_LOSSES = "chargeback_losses"
REFUND_CONCESSION = "refund_concession"
EXCHANGE_DIFFERENCE = "exchange_difference"
CONNECTED_CLAIM = "connected_claim"


def held(milestone_id: int) -> str:
    return f"held:{milestone_id}"


def refund_payable(milestone_id: int) -> str:
    return f"refund_payable:{milestone_id}"


def deferred_platform_fee(milestone_id: int) -> str:
    return f"deferred_platform_fee:{milestone_id}"


def payee_payable(party_id: int) -> str:
    return f"payee_payable:{party_id}"


def receivable_payee(party_id: int) -> str:
    return f"receivable_payee:{party_id}"


def connected_balance(party_id: int) -> str:
    return f"connected_balance:{party_id}"


def connected_in_transit(party_id: int) -> str:
    return f"connected_in_transit:{party_id}"


def account_type(code: str) -> Line:
    """The line of the chart that a code belongs to: `held:17` → held. Otherwise `AccountUnknown`."""
    name, _, number = code.partition(":")
    line = CHART.get(name)
    if line is None or (line.per is None) != (number == "") or (number and not _is_object(number)):
        raise AccountUnknown(code=code)
    return line


def _is_object(text: str) -> bool:
    return text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= 13


def number(code: str, currency: str) -> int:
    """The number of an account in the database: object, line and ISO 4217 currency number in one."""
    line = account_type(code)
    if currency not in ISO_NUMBERS:
        raise UnknownCurrency(currency=currency)
    return (object_id(code) or 0) << 18 | line.number << 10 | ISO_NUMBERS[currency]


def code_of(number: int) -> str:
    """The code of an account by its number in the database."""
    line = BY_NUMBER.get(number >> 10 & 255)
    if line is None:
        raise AccountUnknown(code=number)
    return f"{line.name}:{number >> 18}" if line.per else line.name


def currency_of(number: int) -> str:
    return CURRENCY_BY_NUMBER[number & 1023]


def object_id(code: str) -> int | None:
    """The milestone or party that an account is kept for: `held:17` → 17."""
    return int(code.partition(":")[2]) if account_type(code).per else None
