"""The amounts of a plan again, by the rules and the policy in the case file: of a decision, or of an agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.case_file.check_helpers import Files, Wrong, read, same
from core.ledger import postings
from core.ledger.journals import Journal
from core.money import Money
from core.policy import Profile
from core.rules import fees, items, splits
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.items import Item
from core.rules.operations import OperationKind

Plan = dict[str, Any]
EACH_ROUNDED = "escrow-desk/plan/1"


def amounts(files: Files, plan: Plan) -> None:
    """The split again, and what each side has in the end."""
    stated = plan["amounts"]
    split = split_of(files, plan)
    for field in ("release", "refund", "fee_kept", "fee_returned", "concession"):
        same(f"the amount {field.replace('_', ' ')}", stated[field], getattr(split, field).minor)
    same("the total refund", stated["refund_total"], split.total_refund.minor)
    kept = stated.get("kept_back", 0)
    if not 0 <= kept <= stated["release"]:
        raise Wrong(f"what is set off is {kept}, and the release {stated['release']}")
    received = stated["release"] - kept - stated["withdrawal_fee"]
    same("what the payee receives", stated["payee_net"], received)
    same("what was charged", stated["charged"], read(files, "case.json")["order"]["charge_minor"])
    in_the_end = stated["charged"] - stated["refund_total"]
    same("what the payer has paid in the end", stated["payer_net_cost"], in_the_end)


def split_of(files: Files, plan: Plan) -> splits.Split:
    stated, currency = plan["amounts"], plan["amounts"]["currency"]
    profile = Profile.from_snapshot(read(files, "policy.json"))
    held = Money(stated["held"], currency)
    order = read(files, "case.json")["order"]
    fee, processing = (Money(order[f"{name}_fee_minor"], currency) for name in ("platform", "processing"))
    if held.minor == order["amount_minor"]:
        same("the platform fee by the policy", fee.minor, fees.platform_fee(held, profile).minor)
    match DecisionOutcome(plan["outcome"]):
        case DecisionOutcome.FULL_RELEASE:
            return splits.full_release(held, fee)
        case DecisionOutcome.FULL_REFUND:
            return splits.full_refund(held, fee, Ground(plan["ground"]), processing)
    release = Money(stated["release"], currency)
    return splits.partial(held, fee, release, profile.platform_fee_bps)


def division(plan: Plan) -> None:
    """Where the amount was divided by items of work: each again by the rule of its day, their values, and their sum."""
    if "items" not in plan:
        return
    currency = plan["amounts"]["currency"]
    found = [Item.from_dict(each, currency) for each in plan["items"]]
    items.check(found, Money(plan["amounts"]["held"], currency))
    earned = _each_rounded(found) if plan["format"] == EACH_ROUNDED else items.earned(found)
    for row, item, part in zip(plan["items"], found, earned, strict=True):
        same(f"what is earned of “{item.title}”", row["earned"], part.minor)
    same("the sum of the items", plan["amounts"]["release"], Money.total(earned, currency).minor)


def _each_rounded(found: Sequence[Item]) -> tuple[Money, ...]:
    """The rule of the first plans: each item's share is rounded half-up by itself."""
    return tuple(fees.portion(item.value, item.share_bps) for item in found)


def journal(files: Files, plan: Plan, *, executed: bool) -> None:
    """The journal of the plan again, and the journal that was booked."""
    split = split_of(files, plan)
    made = postings.decided(
        key=plan["journal"]["key"],
        milestone_id=plan["milestone"],
        payee_id=read(files, "case.json")["project"]["payee_id"],
        release=split.release,
        refund=split.refund,
        fee_kept=split.fee_kept,
        fee_returned=split.fee_returned,
        concession=split.concession,
        cause={},
    )
    same("the journal of the plan", _by_account(plan["journal"]["postings"]), _of(made))
    kept = [each for each in plan["expected"] if each["key"].endswith(".kept_back")]
    moved = sum(each["amount"] for one in kept for each in one["postings"] if each["amount"] > 0)
    same("what is booked as set off", moved, plan["amounts"].get("kept_back", 0))
    booked = {each["key"]: each for each in read(files, "journals.json")}
    if executed:
        if made.key not in booked:
            raise Wrong(f"the journal {made.key} of the executed plan was not booked")
        same("the booked journal", _by_account(booked[made.key]["postings"]), _of(made))


def _by_account(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {each["account"]: each["amount"] for each in rows}


def _of(made: Journal) -> dict[str, int]:
    return {each.account: each.amount.minor for each in made.postings}


def calls(plan: Plan) -> None:
    """The amounts and keys of what the provider is asked."""
    sent = {
        OperationKind.REFUND: plan["amounts"]["refund_total"],
        OperationKind.TRANSFER: plan["amounts"]["payee_net"],
    }
    for call in plan["operations"]:
        wanted = sent.get(call["kind"], plan["amounts"]["payee_net"])
        same(f"the amount of the {call['kind'].lower()}", call["params"]["amount"], wanted)
        same(f"the key of the {call['kind'].lower()}", call["idempotency_key"], f"{call['key']}:1")
