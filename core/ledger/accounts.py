"""The chart of accounts: which accounts there are, on which side they grow, and what the database checks of them.

An account is a code and a currency. A code is one line of the chart (`stripe_balance`), or a line and the object it is
kept for (`held:17`: what is held for milestone 17). The database opens an account when it is first posted to, by this
same chart (table `chart`; a test holds the two together).

Two numbers stand on a line. The accountant's (`gl_number`, 1010 Cash at Stripe) orders every report; the first digit
is the type. The other (`number`) is the database's, and part of the number of every account.

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


class AccountType(StrEnum):
    """The type of an account, in the order of every report."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Side(StrEnum):
    """The side of a posting, and the side on which an account grows: debits are written > 0, credits < 0."""

    DEBIT = "debit"
    CREDIT = "credit"


class Book(StrEnum):
    """A journal lies in one book, so each book balances by itself."""

    PLATFORM = "platform"
    PAYEE = "payee"
    """Memo: the payees' own money on their Stripe accounts, which was never the platform's."""


class Group(StrEnum):
    """What a report adds up to one subtotal; all lines of a group are of one type."""

    CASH = "cash"
    RECEIVABLES = "receivables"
    CLIENT_FUNDS = "client_funds"
    DEFERRED_INCOME = "deferred_income"
    SUSPENSE = "suspense"
    EQUITY = "equity"
    REVENUE = "revenue"
    OTHER_INCOME = "other_income"
    PAYMENT_COSTS = "payment_costs"
    LOSSES = "losses"
    OTHER_EXPENSES = "other_expenses"
    PAYEES_CASH = "payees_cash"
    PAYEES_CLAIM = "payees_claim"

    @property
    def kind(self) -> AccountType:
        return _GROUPS[self][0]

    @property
    def heading(self) -> str:
        return _GROUPS[self][1]


_GROUPS: Mapping[Group, tuple[AccountType, str]] = {
    Group.CASH: (AccountType.ASSET, "Cash"),
    Group.RECEIVABLES: (AccountType.ASSET, "Receivables"),
    Group.CLIENT_FUNDS: (AccountType.LIABILITY, "Client funds"),
    Group.DEFERRED_INCOME: (AccountType.LIABILITY, "Deferred income"),
    Group.SUSPENSE: (AccountType.LIABILITY, "Suspense"),
    Group.EQUITY: (AccountType.EQUITY, "Equity"),
    Group.REVENUE: (AccountType.INCOME, "Revenue"),
    Group.OTHER_INCOME: (AccountType.INCOME, "Other income"),
    Group.PAYMENT_COSTS: (AccountType.EXPENSE, "Payment costs"),
    Group.LOSSES: (AccountType.EXPENSE, "Losses and concessions"),
    Group.OTHER_EXPENSES: (AccountType.EXPENSE, "Other expenses"),
    Group.PAYEES_CASH: (AccountType.ASSET, "Payees' cash (memorandum)"),
    Group.PAYEES_CLAIM: (AccountType.LIABILITY, "Payees' claim (memorandum)"),
}


class AccountUnknown(DeskError):
    """There is no account {code} in the chart of accounts."""


@dataclass(frozen=True)
class ChartLine:
    """One line of the chart. `per` names the kind of object that each account of the line is kept for.

    The number says what the database has to know of it at every posting: 128 hot, 64 in the payees' book. Hot
    lines of which there is only one account a currency stand together: those that are posted to all the time from 129
    to 139, which posting takes without looking them up, and the others after them.
    """

    number: int
    gl_number: int
    name: str
    group: Group
    title: str
    per: str | None = None

    @property
    def kind(self) -> AccountType:
        return self.group.kind

    @property
    def hot(self) -> bool:
        return bool(self.number & 128)

    @property
    def book(self) -> Book:
        return Book.PAYEE if self.number & 64 else Book.PLATFORM

    @property
    def side(self) -> Side:
        return Side.DEBIT if self.kind in (AccountType.ASSET, AccountType.EXPENSE) else Side.CREDIT

    def grown(self, net: int) -> int:
        """Debits less credits, told on the side on which the account grows."""
        return net if self.side is Side.DEBIT else -net


_LINES = (
    ChartLine(1, 2010, "held", Group.CLIENT_FUNDS, "Client funds held", per="milestone"),
    ChartLine(2, 2030, "refund_payable", Group.CLIENT_FUNDS, "Refunds payable", per="milestone"),
    ChartLine(
        3, 2110, "deferred_platform_fee", Group.DEFERRED_INCOME, "Deferred platform fees", per="milestone"
    ),
    ChartLine(4, 2020, "payee_payable", Group.CLIENT_FUNDS, "Payee payables", per="party"),
    ChartLine(5, 1220, "receivable_payee", Group.RECEIVABLES, "Receivables from payees", per="party"),
    ChartLine(6, 2040, "unapplied_funds", Group.CLIENT_FUNDS, "Unapplied receipts"),
    ChartLine(7, 1210, "disputed_funds", Group.RECEIVABLES, "Disputed funds"),
    ChartLine(8, 1030, "payout_in_transit", Group.CASH, "Platform payouts in transit"),
    ChartLine(129, 1010, "stripe_balance", Group.CASH, "Cash at Stripe"),
    ChartLine(130, 4010, "platform_fee_revenue", Group.REVENUE, "Platform fees earned"),
    ChartLine(131, 4020, "processing_fee_recovery", Group.REVENUE, "Processing fee recoveries"),
    ChartLine(132, 4030, "withdrawal_fee_revenue", Group.REVENUE, "Withdrawal fees"),
    ChartLine(133, 5010, "processor_fees", Group.PAYMENT_COSTS, "Processing fees, estimated"),
    ChartLine(134, 5020, "fee_variance", Group.PAYMENT_COSTS, "Processing fee variance"),
    ChartLine(135, 5030, "dispute_fees", Group.PAYMENT_COSTS, "Chargeback fees"),
    ChartLine(136, 5110, "chargeback_losses", Group.LOSSES, "Chargeback losses"),
    ChartLine(137, 5120, "refund_concession", Group.LOSSES, "Refund concessions"),
    ChartLine(138, 1110, "bank", Group.CASH, "Bank"),
    ChartLine(139, 2910, "suspense", Group.SUSPENSE, "Suspense"),
    ChartLine(140, 5920, "exchange_difference", Group.OTHER_EXPENSES, "Exchange differences"),
    ChartLine(141, 3010, "opening_balances", Group.EQUITY, "Opening balances"),
    ChartLine(142, 3110, "retained_earnings", Group.EQUITY, "Retained earnings"),
    ChartLine(143, 1020, "stripe_reserve", Group.CASH, "Reserves held by Stripe"),
    ChartLine(144, 4910, "other_income", Group.OTHER_INCOME, "Other income"),
    ChartLine(145, 5910, "other_expense", Group.OTHER_EXPENSES, "Other expenses"),
    ChartLine(146, 5040, "bank_charges", Group.PAYMENT_COSTS, "Bank charges"),
    ChartLine(147, 5130, "bad_debt", Group.LOSSES, "Bad debts"),
    ChartLine(148, 4920, "bad_debt_recovered", Group.OTHER_INCOME, "Bad debts recovered"),
    ChartLine(193, 9110, "connected_claim", Group.PAYEES_CLAIM, "Payees' claim (memorandum)"),
    ChartLine(
        194,
        9010,
        "connected_balance",
        Group.PAYEES_CASH,
        "Payee's balance at Stripe (memorandum)",
        per="party",
    ),
    ChartLine(
        195,
        9020,
        "connected_in_transit",
        Group.PAYEES_CASH,
        "Payee's payouts in transit (memorandum)",
        per="party",
    ),
)

CHART: Mapping[str, ChartLine] = {line.name: line for line in _LINES}
IN_ORDER = tuple(sorted(_LINES, key=lambda line: line.gl_number))
BY_NUMBER: Mapping[int, ChartLine] = {line.number: line for line in _LINES}

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
OPENING_BALANCES = "opening_balances"
RETAINED_EARNINGS = "retained_earnings"
STRIPE_RESERVE = "stripe_reserve"
OTHER_INCOME = "other_income"
OTHER_EXPENSE = "other_expense"
BANK_CHARGES = "bank_charges"
BAD_DEBT = "bad_debt"
BAD_DEBT_RECOVERED = "bad_debt_recovered"
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


def account_type(code: str) -> ChartLine:
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
