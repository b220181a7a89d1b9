"""Which addresses exist, which function answers each, and which class of the SDK says what it may be asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.gateways.stripe_sandbox import (
    accounts,
    balance,
    charges,
    customers,
    disputes,
    events,
    files,
    payment_intents,
    payouts,
    refunds,
    setup_intents,
    transfers,
)


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    answer: Callable[..., Any]
    params: str

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))


ROUTES = (
    Route("POST", "/v1/customers", customers.create, "CustomerCreateParams"),
    Route("GET", "/v1/customers", customers.index, "CustomerListParams"),
    Route("GET", "/v1/customers/{id}", customers.retrieve, "CustomerRetrieveParams"),
    Route("POST", "/v1/customers/{id}", customers.update, "CustomerUpdateParams"),
    Route("DELETE", "/v1/customers/{id}", customers.erase, "CustomerDeleteParams"),
    Route("POST", "/v1/payment_methods", customers.create_method, "PaymentMethodCreateParams"),
    Route("GET", "/v1/payment_methods", customers.index_methods, "PaymentMethodListParams"),
    Route("GET", "/v1/payment_methods/{id}", customers.retrieve_method, "PaymentMethodRetrieveParams"),
    Route("POST", "/v1/payment_methods/{id}/attach", customers.attach, "PaymentMethodAttachParams"),
    Route("POST", "/v1/payment_intents", payment_intents.create, "PaymentIntentCreateParams"),
    Route("GET", "/v1/payment_intents", payment_intents.index, "PaymentIntentListParams"),
    Route("GET", "/v1/payment_intents/{id}", payment_intents.retrieve, "PaymentIntentRetrieveParams"),
    Route("POST", "/v1/payment_intents/{id}", payment_intents.update, "PaymentIntentUpdateParams"),
    Route("POST", "/v1/payment_intents/{id}/confirm", payment_intents.confirm, "PaymentIntentConfirmParams"),
    Route("POST", "/v1/payment_intents/{id}/cancel", payment_intents.cancel, "PaymentIntentCancelParams"),
    Route("POST", "/v1/setup_intents", setup_intents.create, "SetupIntentCreateParams"),
    Route("GET", "/v1/setup_intents", setup_intents.index, "SetupIntentListParams"),
    Route("GET", "/v1/setup_intents/{id}", setup_intents.retrieve, "SetupIntentRetrieveParams"),
    Route("POST", "/v1/setup_intents/{id}/confirm", setup_intents.confirm, "SetupIntentConfirmParams"),
    Route("POST", "/v1/setup_intents/{id}/cancel", setup_intents.cancel, "SetupIntentCancelParams"),
    Route("GET", "/v1/charges", charges.index, "ChargeListParams"),
    Route("GET", "/v1/charges/{id}", charges.retrieve, "ChargeRetrieveParams"),
    Route("POST", "/v1/refunds", refunds.create, "RefundCreateParams"),
    Route("GET", "/v1/refunds", refunds.index, "RefundListParams"),
    Route("GET", "/v1/refunds/{id}", refunds.retrieve, "RefundRetrieveParams"),
    Route("POST", "/v1/refunds/{id}", refunds.update, "RefundUpdateParams"),
    Route("POST", "/v1/refunds/{id}/cancel", refunds.cancel, "RefundCancelParams"),
    Route("POST", "/v1/accounts", accounts.create, "AccountCreateParams"),
    Route("GET", "/v1/accounts", accounts.index, "AccountListParams"),
    Route("GET", "/v1/accounts/{id}", accounts.retrieve, "AccountRetrieveParams"),
    Route("POST", "/v1/accounts/{id}", accounts.update, "AccountUpdateParams"),
    Route("POST", "/v1/account_links", accounts.create_link, "AccountLinkCreateParams"),
    Route(
        "POST",
        "/v1/accounts/{id}/external_accounts",
        accounts.add_external,
        "AccountExternalAccountCreateParams",
    ),
    Route(
        "GET",
        "/v1/accounts/{id}/external_accounts",
        accounts.index_external,
        "AccountExternalAccountListParams",
    ),
    Route(
        "GET",
        "/v1/accounts/{id}/external_accounts/{bank}",
        accounts.retrieve_external,
        "AccountExternalAccountRetrieveParams",
    ),
    Route("POST", "/v1/transfers", transfers.create, "TransferCreateParams"),
    Route("GET", "/v1/transfers", transfers.index, "TransferListParams"),
    Route("GET", "/v1/transfers/{id}", transfers.retrieve, "TransferRetrieveParams"),
    Route("POST", "/v1/transfers/{id}", transfers.update, "TransferUpdateParams"),
    Route("POST", "/v1/transfers/{id}/reversals", transfers.reverse, "TransferReversalCreateParams"),
    Route("GET", "/v1/transfers/{id}/reversals", transfers.index_reversals, "TransferReversalListParams"),
    Route(
        "GET",
        "/v1/transfers/{id}/reversals/{reversal}",
        transfers.retrieve_reversal,
        "TransferReversalRetrieveParams",
    ),
    Route("POST", "/v1/payouts", payouts.create, "PayoutCreateParams"),
    Route("GET", "/v1/payouts", payouts.index, "PayoutListParams"),
    Route("GET", "/v1/payouts/{id}", payouts.retrieve, "PayoutRetrieveParams"),
    Route("POST", "/v1/payouts/{id}", payouts.update, "PayoutUpdateParams"),
    Route("POST", "/v1/payouts/{id}/cancel", payouts.cancel, "PayoutCancelParams"),
    Route("GET", "/v1/balance", balance.retrieve, "BalanceRetrieveParams"),
    Route("GET", "/v1/balance_transactions", balance.index_lines, "BalanceTransactionListParams"),
    Route("GET", "/v1/balance_transactions/{id}", balance.retrieve_line, "BalanceTransactionRetrieveParams"),
    Route("GET", "/v1/disputes", disputes.index, "DisputeListParams"),
    Route("GET", "/v1/disputes/{id}", disputes.retrieve, "DisputeRetrieveParams"),
    Route("POST", "/v1/disputes/{id}", disputes.update, "DisputeUpdateParams"),
    Route("POST", "/v1/disputes/{id}/close", disputes.close, "DisputeCloseParams"),
    Route("POST", "/v1/files", files.create, "FileCreateParams"),
    Route("GET", "/v1/files", files.index, "FileListParams"),
    Route("GET", "/v1/files/{id}", files.retrieve, "FileRetrieveParams"),
    Route("GET", "/v1/events", events.index, "EventListParams"),
    Route("GET", "/v1/events/{id}", events.retrieve, "EventRetrieveParams"),
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Route], ...]:
    return tuple((route.pattern, route) for route in ROUTES)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of an address and the ids in it, or None."""
    for pattern, route in _patterns():
        if route.method == method and (match := pattern.fullmatch(path)):
            return route, match.groupdict()
    return None
