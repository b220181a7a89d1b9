"""The payments port on Stripe: separate charges and transfers, manual payouts, `metadata.op` on everything.

Every call carries our own idempotency key and is never repeated here; who calls decides about that. Charges are taken
with synchronous capture, so the balance transaction is usually there at once.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from stripe import RequestOptions
from stripe.params import (
    AccountCreateParams,
    AccountLinkCreateParams,
    CustomerUpdateParams,
    PaymentIntentCreateParams,
    PaymentMethodAttachParams,
    PayoutCreateParams,
    RefundCreateParams,
    SetupIntentCreateParams,
    TransferCreateParams,
    TransferReversalCreateParams,
)

from core.gateways import stripe_ids as ids
from core.gateways import stripe_snapshots as read
from core.gateways.payments import ProviderRefused
from core.gateways.snapshots import (
    AccountLinkSnapshot,
    ChargeSnapshot,
    CustomerSnapshot,
    DisputeSnapshot,
    MethodSnapshot,
    PayeeAccountSnapshot,
    PayoutSnapshot,
    RefundSnapshot,
    ReversalSnapshot,
    SetupSnapshot,
    TransferSnapshot,
)
from core.gateways.stripe_calls import translate_errors, translate_read_errors
from core.gateways.stripe_ids import IdKind
from core.gateways.stripe_reads import CHARGE, LINE, LINES, StripeReads, as_, plain
from core.money import Money, stripe_exact


class StripePayments(StripeReads):
    """`Payments` on Stripe, or on the sandbox at `base`. May be shared by threads."""

    # -- people -

    def create_customer(self, op: str, key: str, *, name: str, email: str) -> CustomerSnapshot:
        with translate_errors():
            made = self._v1.customers.create(
                {"name": name, "email": email, "metadata": _marks(op, key)}, _keyed(key)
            )
        return read.customer(plain(made))

    def create_payee_account(
        self, op: str, key: str, *, email: str, country: str, currency: str, bank_token: str | None = None
    ) -> PayeeAccountSnapshot:
        params: AccountCreateParams = {
            "capabilities": {"transfers": {"requested": True}},
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "application",
                "stripe_dashboard": {"type": "none"},
            },
            "country": country,
            "default_currency": currency.lower(),
            "email": email,
            "metadata": _marks(op, key),
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        }
        if bank_token:
            params["external_account"] = bank_token
        with translate_errors():
            made = self._v1.accounts.create(params, _keyed(key))
        return read.payee_account(plain(made))

    def replace_bank(self, op: str, key: str, *, account: str, bank_token: str) -> PayeeAccountSnapshot:
        with translate_errors():
            made = self._v1.accounts.update(
                ids.of(IdKind.ACCOUNT, account), {"external_account": bank_token}, _keyed(key)
            )
        return read.payee_account(plain(made))

    def update_contact(
        self, key: str, *, customer: str | None, account: str | None, name: str, email: str
    ) -> None:
        with translate_errors():
            if customer:
                who: CustomerUpdateParams = {"name": name, "email": email}
                self._v1.customers.update(ids.of(IdKind.CUSTOMER, customer), who, _keyed(key))
            if account:
                self._v1.accounts.update(ids.of(IdKind.ACCOUNT, account), {"email": email}, _keyed(key))

    def method(self, payment_method: str) -> MethodSnapshot | None:
        try:
            with translate_read_errors():
                return read.method(plain(self._v1.payment_methods.retrieve(payment_method)))
        except ProviderRefused as refused:
            if refused.facts["provider_code"] == "resource_missing" and payment_method.count("_") > 1:
                return None  # a token of test mode, as `pm_card_visa`
            raise

    def attach(self, key: str, *, customer: str, payment_method: str) -> str:
        asked: PaymentMethodAttachParams = {"customer": ids.of(IdKind.CUSTOMER, customer)}
        with translate_errors():
            return str(self._v1.payment_methods.attach(payment_method, asked, _keyed(key)).id)

    def account_link(
        self, key: str, *, account: str, update: bool, refresh_url: str, return_url: str
    ) -> AccountLinkSnapshot:
        params: AccountLinkCreateParams = {
            "account": ids.of(IdKind.ACCOUNT, account),
            "refresh_url": refresh_url,
            "return_url": return_url,
            "type": "account_update" if update else "account_onboarding",
        }
        with translate_errors():
            made = self._v1.account_links.create(params, _keyed(key))
        return read.account_link(plain(made))

    def set_up(self, op: str, key: str, *, customer: str) -> SetupSnapshot:
        params: SetupIntentCreateParams = {
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "customer": ids.of(IdKind.CUSTOMER, customer),
            "metadata": _marks(op, key),
            "usage": "off_session",
        }
        with translate_errors():
            made = self._v1.setup_intents.create(params, _keyed(key))
        return read.set_up(plain(made))

    # -- money -

    def charge(
        self,
        op: str,
        key: str,
        *,
        amount: Money,
        customer: str,
        payment_method: str,
        transfer_group: str,
        description: str,
        off_session: bool = True,
        return_url: str | None = None,
    ) -> ChargeSnapshot:
        params: PaymentIntentCreateParams = {
            "amount": stripe_exact(amount).minor,
            "currency": amount.currency.lower(),
            "automatic_payment_methods": {
                "enabled": True,
                "allow_redirects": "always" if return_url else "never",
            },
            "capture_method": "automatic",
            "confirm": True,
            "customer": customer,
            "description": description,
            "expand": CHARGE,
            "metadata": _marks(op, key),
            "payment_method": payment_method,
            "transfer_group": transfer_group,
        }
        if off_session:
            params["off_session"] = True
        else:
            params["setup_future_usage"] = "off_session"
        if return_url:
            params["return_url"] = return_url
        with translate_errors():
            made = self._v1.payment_intents.create(params, _keyed(key))
        return read.charge(plain(made))

    def cancel_charge(self, key: str, *, payment_intent: str) -> ChargeSnapshot:
        id_ = ids.of(IdKind.PAYMENT_INTENT, payment_intent)
        try:
            with translate_errors():
                made = self._v1.payment_intents.cancel(id_, {"expand": CHARGE}, _keyed(key))
        except ProviderRefused:
            return self.charge_of(payment_intent)
        return read.charge(plain(made))

    def refund(
        self, op: str, key: str, *, payment_intent: str, amount: Money, reason: str | None = None
    ) -> RefundSnapshot:
        params: RefundCreateParams = {
            "amount": stripe_exact(amount).minor,
            "expand": LINES,
            "metadata": _marks(op, key),
            "payment_intent": payment_intent,
        }
        if reason:
            params["reason"] = reason
        with translate_errors():
            made = self._v1.refunds.create(params, _keyed(key))
        return read.refund(plain(made))

    def transfer(
        self,
        op: str,
        key: str,
        *,
        amount: Money,
        destination: str,
        transfer_group: str,
        source_transaction: str | None = None,
    ) -> TransferSnapshot:
        params: TransferCreateParams = {
            "amount": stripe_exact(amount).minor,
            "currency": amount.currency.lower(),
            "destination": destination,
            "expand": LINE,
            "metadata": _marks(op, key),
            "transfer_group": transfer_group,
        }
        if source_transaction:
            params["source_transaction"] = source_transaction
        with translate_errors():
            made = self._v1.transfers.create(params, _keyed(key))
        return read.transfer(plain(made))

    def reverse_transfer(self, op: str, key: str, *, transfer: str, amount: Money) -> ReversalSnapshot:
        params: TransferReversalCreateParams = {
            "amount": stripe_exact(amount).minor,
            "expand": LINE,
            "metadata": _marks(op, key),
        }
        with translate_errors():
            made = self._v1.transfers.reversals.create(ids.of(IdKind.TRANSFER, transfer), params, _keyed(key))
        return read.reversal(plain(made))

    def payout(
        self, op: str, key: str, *, account: str, amount: Money, method: str = "standard"
    ) -> PayoutSnapshot:
        params: PayoutCreateParams = {
            "amount": stripe_exact(amount).minor,
            "currency": amount.currency.lower(),
            "expand": LINES,
            "metadata": _marks(op, key),
            "method": method,
        }
        with translate_errors():
            made = self._v1.payouts.create(params, _keyed(key, account))
        return read.payout(plain(made), account)

    # -- disputes -

    def upload_evidence(self, key: str, *, filename: str, content: bytes) -> str:
        file = io.BytesIO(content)
        file.name = filename
        with translate_errors():
            made = self._v1.files.create({"purpose": "dispute_evidence", "file": file}, _keyed(key))
        return made.id

    def submit_evidence(
        self, op: str, key: str, *, dispute: str, evidence: Mapping[str, str], submit: bool
    ) -> DisputeSnapshot:
        params: Any = {
            "evidence": dict(evidence),
            "intended_submission_method": "manual",
            "metadata": _marks(op, key),
            "submit": submit,
        }
        with translate_errors():
            return read.dispute(
                plain(self._v1.disputes.update(ids.of(IdKind.DISPUTE, dispute), params, _keyed(key)))
            )

    def accept_dispute(self, key: str, *, dispute: str) -> DisputeSnapshot:
        with translate_errors():
            return read.dispute(
                plain(self._v1.disputes.close(ids.of(IdKind.DISPUTE, dispute), {}, _keyed(key)))
            )


def _marks(op: str, key: str) -> dict[str, str]:
    return {"op": op, "key": key}


def _keyed(key: str, account: str | None = None) -> RequestOptions:
    return {"idempotency_key": key, **as_(account)}
