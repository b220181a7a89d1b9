"""Connected accounts and the banks that their payouts go to."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox import onboarding
from core.gateways.stripe_sandbox.cards import BANK_NUMBERS, BANKS
from core.gateways.stripe_sandbox.errors import invalid
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import PLATFORM, World, merged, public

_CURRENCIES = {"US": "usd", "GB": "gbp", "CA": "cad", "AU": "aud", "CH": "chf", "JP": "jpy", "KW": "kwd"}
_COPIED = ("business_profile", "business_type", "email")


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/accounts"""
    country = params.get("country", "US")
    asked = params.get("capabilities") or {}
    account = world.add(
        {
            "id": world.id("acct"),
            "object": "account",
            "capabilities": {name: "inactive" for name, each in asked.items() if each.get("requested")},
            "controller": {"type": "application", **(params.get("controller") or {})},
            "country": country,
            "created": world.now,
            "default_currency": params.get("default_currency") or _CURRENCIES.get(country, "eur"),
            "metadata": merged({}, params.get("metadata")),
            "settings": _settings(params.get("settings") or {}),
            "type": params.get("type", "none"),
            **{name: params.get(name) for name in _COPIED},
        }
    )
    payee = world.on(account["id"])
    if external := params.get("external_account"):
        _add_bank(payee, account, external, default=True)
    onboarding.begin(account, params)
    onboarding.take(world, account, params)
    refresh(payee, account, None)
    return account


def _settings(asked: dict[str, Any]) -> dict[str, Any]:
    """Only the payout schedule is remembered; the rest is as empty as Stripe allows."""
    schedule = (asked.get("payouts") or {}).get("schedule") or {}
    return {
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_payments": {"statement_descriptor_prefix": None},
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "payments": {"statement_descriptor": None},
        "payouts": {
            "debit_negative_balances": False,
            "schedule": {"delay_days": 2, "interval": "daily", **schedule},
            "statement_descriptor": None,
        },
    }


def refresh(payee: World, account: Object, event: str | None = "account.updated") -> Object:
    """Keep the account with its banks and what follows for it, and tell (on the account's own behalf)."""
    known = banks(payee)
    onboarding.assess(account, known, payee.now)
    url = f"/v1/accounts/{account['id']}/external_accounts"
    account["external_accounts"] = {
        "object": "list",
        "data": [public(each) for each in known],
        "has_more": False,
        "url": url,
    }
    return payee.change(account, event)


def banks(payee: World) -> list[Object]:
    return payee.store.select("kind = 'bank_account' and account = ?", (payee.account,), order="asc")


def _add_bank(payee: World, account: Object, external: Any, *, default: bool) -> Object:
    token = (
        external if isinstance(external, str) else BANK_NUMBERS.get(external.get("account_number", ""), "")
    )
    if token not in BANKS:
        raise invalid(f"No such token: '{token}'", code="resource_missing", param="external_account")
    details = {} if isinstance(external, str) else external
    test = BANKS[token]
    currency = str(details.get("currency") or test.currency or account["default_currency"]).lower()
    others = [each for each in banks(payee) if each["currency"] == currency]
    if default:
        for each in others:
            payee.change(each, default_for_currency=False)
    return payee.add(
        {
            "id": payee.id("ba"),
            "object": "bank_account",
            "account": payee.account,
            "account_holder_name": details.get("account_holder_name"),
            "account_holder_type": details.get("account_holder_type"),
            "account_type": None,
            "available_payout_methods": ["standard", "instant"],
            "bank_name": "STRIPE TEST BANK",
            "country": details.get("country") or test.country or account["country"],
            "currency": currency,
            "default_for_currency": default or not others,
            "fingerprint": f"sandbox{test.last4}",
            "last4": test.last4,
            "metadata": {},
            "routing_number": test.routing_number,
            "status": "new",
            "_bank": token,
        }
    )


def bank_for(world: World, currency: str, destination: str | None) -> Object | None:
    """Where a payout goes. The platform's own bank is not modelled; an errored one is refused."""
    if world.account == PLATFORM:
        return None
    known = banks(world)
    bank = (
        next((each for each in known if each["id"] == destination), None)
        if destination
        else next(
            (each for each in known if each["currency"] == currency and each["default_for_currency"]), None
        )
    )
    if bank is None:
        message = f"Sorry, you don't have any external accounts in that currency ({currency})."
        raise invalid(message, param="destination" if destination else None)
    if bank["status"] == "errored":
        raise invalid(
            "A payout to this bank account failed; it must be replaced.", code="bank_account_unusable"
        )
    return bank


def require_payouts(world: World) -> None:
    """A connected account that owes something, or is rejected or paused, is paid nothing out."""
    if world.account != PLATFORM and not retrieve(world, {}, world.account)["payouts_enabled"]:
        raise invalid("Payouts are not enabled for this account.", code="payouts_not_allowed")


def distrust(payee: World, bank_id: str | None) -> None:
    """A payout failed: the bank account is errored until another takes its place."""
    found = payee.store.get(bank_id or "")
    if found is None:  # replaced meanwhile
        return
    bank = found[0]
    payee.change(bank, "account.external_account.updated", status="errored")
    refresh(payee, payee.on(PLATFORM).find("account", payee.account))


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/accounts/{id}"""
    return world.on(PLATFORM).find("account", id)


def update(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/accounts/{id}"""
    account = world.find("account", id)
    account |= {name: params[name] for name in _COPIED if name in params}
    account["metadata"] = merged(account["metadata"], params.get("metadata"))
    if external := params.get("external_account"):
        _replace_bank(world.on(id), account, external)
    onboarding.take(world, account, params)
    return refresh(world.on(id), account)


def _replace_bank(payee: World, account: Object, external: Any) -> None:
    """The new one is the default of its currency, and the default before it is deleted."""
    before = {each["id"]: each for each in banks(payee) if each["default_for_currency"]}
    added = _add_bank(payee, account, external, default=True)
    for each in before.values():
        if each["currency"] == added["currency"]:
            payee.store.delete(each["id"])
            payee.emit("account.external_account.deleted", each)


def verify(world: World, id_: str) -> None:
    """Timer or control: the check that was pending is over."""
    account = world.find("account", id_)
    onboarding.verdict(account)
    refresh(world.on(id_), account)


def look_again(world: World, id_: str) -> None:
    """Timer: a deadline has passed."""
    refresh(world.on(id_), world.find("account", id_))


def create_link(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/account_links: an address that is good for one visit."""
    account = world.find("account", params["account"], param="account")
    for name in ("refresh_url", "return_url"):
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
    if params["type"] == "account_update" and not _collected_by_us(account):
        raise invalid("This account updates its details on its own dashboard.", param="type")
    token = world.id("link")
    link = {
        "id": token,
        "object": "account_link",
        "created": world.now,
        "expires_at": world.now + world.terms.link_expires_after,
        "url": f"{world.base}/setup/c/{account['id']}/{token}",
        "_account": account["id"],
        "_refresh_url": params["refresh_url"],
        "_return_url": params["return_url"],
        "_state": "new",
    }
    return {name: value for name, value in world.add(link).items() if name != "id"}


def _collected_by_us(account: Object) -> bool:
    return bool(account["controller"].get("requirement_collection") == "application")


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/accounts"""
    return listed(world, "account", params, "/v1/accounts")


def add_external(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/accounts/{id}/external_accounts"""
    account, payee = world.find("account", id), world.on(id)
    bank = _add_bank(
        payee, account, params["external_account"], default=bool(params.get("default_for_currency"))
    )
    payee.emit("account.external_account.created", bank)
    onboarding.take(world, account, params)
    refresh(payee, account)
    return bank


def index_external(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/accounts/{id}/external_accounts"""
    world.find("account", id)
    return listed(world.on(id), "bank_account", {}, f"/v1/accounts/{id}/external_accounts")


def retrieve_external(world: World, params: dict[str, Any], id: str, bank: str) -> Object:
    """GET /v1/accounts/{id}/external_accounts/{bank}"""
    world.find("account", id)
    return world.on(id).find("bank_account", bank)
