"""What explained money is booked as: out of suspense, to the account that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from core.ledger import accounts
from core.ledger.journals import Cause, Journal
from core.ledger.postings.charges import suspense_settled
from core.money import Money
from core.rules.suspense import OF_PAYEE, SettledAs

ACCOUNTS: Mapping[SettledAs, str] = {
    SettledAs.OWN_MONEY: accounts.BANK,
    SettledAs.PROCESSOR_FEE: accounts.PROCESSOR_FEES,
    SettledAs.CONCESSION: accounts.REFUND_CONCESSION,
    SettledAs.CHARGEBACK_LOSS: accounts.CHARGEBACK_LOSSES,
    SettledAs.RETURN_TO_PAYER: accounts.UNAPPLIED_FUNDS,
    SettledAs.DEBT_RECOVERED: accounts.BAD_DEBT_RECOVERED,
    SettledAs.RESERVE: accounts.STRIPE_RESERVE,
    SettledAs.BANK_CHARGE: accounts.BANK_CHARGES,
    SettledAs.INTEREST: accounts.OTHER_INCOME,
    SettledAs.OTHER_INCOME: accounts.OTHER_INCOME,
    SettledAs.OTHER_EXPENSE: accounts.OTHER_EXPENSE,
}


def account_of(settled_as: SettledAs, *, restated: bool, target_id: int | None) -> str | None:
    """None where nothing is booked (amounts that offset each other), or where the milestone says what is (a refund that
    was owed). `restated`: it is what Stripe states of a line beyond what was booked for it; a fee of that kind is
    variance (decision record 0037)."""
    if settled_as in OF_PAYEE:
        return accounts.receivable_payee(target_id or 0)
    if restated and settled_as is SettledAs.PROCESSOR_FEE:
        return accounts.FEE_VARIANCE
    return ACCOUNTS.get(settled_as)


def entry(
    settled_as: SettledAs,
    amount: Money,
    *,
    restated: bool,
    target_id: int | None,
    milestone_id: int | None = None,
    key: str,
    cause: Cause,
) -> Journal | None:
    """The journal, with the amount's sign; None where `account_of` is none, or of nothing."""
    account = account_of(settled_as, restated=restated, target_id=target_id)
    if account is None or amount.is_zero:
        return None
    return suspense_settled(key=key, account=account, amount=amount, milestone_id=milestone_id, cause=cause)
