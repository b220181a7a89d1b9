"""What a connected account owes Stripe before it may be paid, and how the documented test values decide about it.

An account that is opened with a bank and nothing about its person is verified at once: a choice of the sandbox, for
Stripe would ask for the person first. Every other account begins with all of `FIELDS` due, and goes on as at Stripe.
"""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World

BANK = "external_account"
DOCUMENT = "individual.verification.document"
FIELDS = (
    "business_type",
    *(f"individual.address.{part}" for part in ("city", "line1", "postal_code", "state")),
    *(f"individual.dob.{part}" for part in ("day", "month", "year")),
    *(f"individual.{part}" for part in ("first_name", "id_number", "last_name")),
    "tos_acceptance.date",
    "tos_acceptance.ip",
)
ABOUT_THE_PERSON = ("business_type", "individual", "tos_acceptance")
VERIFIED_BORN, AT_ONCE_BORN = (1901, 1, 1), (1902, 1, 1)
MISMATCHED_ID, AT_ONCE_ID = "111111111", "222222222"
MISMATCHED_LINES = ("address_no_match", "address_line1_no_match")
GOOD_DOCUMENT = "file_identity_document_success"
WRONG = {
    "verification_failed_address_match": "The address could not be verified. Upload a document that shows it.",
    "verification_failed_id_number_match": "The ID number does not match the person. Upload an identity document.",
    "verification_failed_keyed_identity": "The person could not be verified. Upload an identity document.",
    "verification_document_failed_other": "The document could not be verified. Upload another one.",
}


def begin(account: Object, params: dict[str, Any]) -> None:
    """What an account that is being opened owes at first."""
    at_once = params.get(BANK) and not any(name in params for name in ABOUT_THE_PERSON)
    account["_asked"] = [] if at_once else list(FIELDS)


def take(world: World, account: Object, params: dict[str, Any]) -> None:
    """What was given is owed no more; when the last of it is there, or is given once more, the person is verified."""
    asked = account.get("_asked") or []
    account["_asked"] = [name for name in asked if not _given(params, name)]
    demand = account.get("_demand")
    if demand:
        demand["fields"] = [name for name in demand["fields"] if not _given(params, name)]
    person = params.get("individual") or {}
    account["_person"] = _merged(account.get("_person") or {}, person)
    if _given(params, DOCUMENT):
        front = (person["verification"]["document"] or {}).get("front")
        settle(account, None if front == GOOD_DOCUMENT else "verification_document_failed_other")
    elif not account["_asked"] and (asked or (account.get("_wrong") and person)):
        _verify(world, account)


def _verify(world: World, account: Object) -> None:
    person = account["_person"]
    born = tuple(int(person.get("dob", {}).get(part, 0)) for part in ("year", "month", "day"))
    if born == AT_ONCE_BORN or person.get("id_number") == AT_ONCE_ID:
        settle(account, _wrong_with(person, born))
        return
    account["_pending"], account["_wrong"] = ["individual.id_number"], None
    world.store.later(world.now + world.terms.verified_after, "account.verify", account["id"])


def _wrong_with(person: dict[str, Any], born: tuple[int, ...]) -> str | None:
    if person.get("address", {}).get("line1") in MISMATCHED_LINES:
        return "verification_failed_address_match"
    if person.get("id_number") == MISMATCHED_ID:
        return "verification_failed_id_number_match"
    return None if born in (VERIFIED_BORN, AT_ONCE_BORN) else "verification_failed_keyed_identity"


def verdict(account: Object) -> None:
    """The check that was pending is over."""
    if account.get("_pending"):
        person = account["_person"]
        born = tuple(int(person.get("dob", {}).get(part, 0)) for part in ("year", "month", "day"))
        settle(account, _wrong_with(person, born))


def settle(account: Object, wrong: str | None) -> None:
    """Verified, or not and why."""
    account["_pending"], account["_wrong"] = [], wrong


def assess(account: Object, banks: list[Object], now: int) -> None:
    """Write down what follows: what is due, what the account can do, and why not."""
    demand = account.get("_demand") or {"fields": [], "deadline": None}
    late = bool(demand["fields"]) and demand["deadline"] is not None and demand["deadline"] <= now
    bank = any(each["status"] != "errored" for each in banks)
    wrong, pending = account.get("_wrong"), account.get("_pending") or []
    missing = [*(account.get("_asked") or []), *([] if bank else [BANK]), *([DOCUMENT] if wrong else [])]
    past = [*missing, *(demand["fields"] if late else [])]
    verified = not (account.get("_asked") or wrong or pending or late or account.get("_rejected"))
    account["requirements"] = {
        "alternatives": [],
        "current_deadline": demand["deadline"] if demand["fields"] else None,
        "currently_due": sorted({*missing, *demand["fields"]}),
        "disabled_reason": _why(account, past=past, pending=pending),
        "errors": [{"code": wrong, "reason": WRONG[wrong], "requirement": DOCUMENT}] if wrong else [],
        "eventually_due": sorted({*missing, *demand["fields"]}),
        "past_due": sorted(past),
        "pending_verification": pending,
    }
    status = "active" if verified else "pending" if pending and not past else "inactive"
    account["capabilities"] = dict.fromkeys(account["capabilities"], status)
    account["details_submitted"] = not account.get("_asked")
    account["charges_enabled"] = verified
    account["payouts_enabled"] = verified and bank and not account.get("_paused")


def _why(account: Object, *, past: list[str], pending: list[str]) -> str | None:
    if account.get("_rejected"):
        return f"rejected.{account['_rejected']}"
    if past:
        return "requirements.past_due"
    if pending:
        return "requirements.pending_verification"
    return "platform_paused" if account.get("_paused") else None


def _given(params: dict[str, Any], name: str) -> bool:
    at: Any = params
    for part in name.split("."):
        at = at.get(part) if isinstance(at, dict) else None
    return at not in (None, "", {})


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = {**old, **new}
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(name), dict):
            both[name] = _merged(old[name], value)
    return both
