"""What differs between two plans of one case, in words and amounts: for whoever must agree to the newer one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.money import Money
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.items import in_words, recorded
from core.rules.operations import OperationKind

AMOUNTS: Mapping[str, str] = {
    "held": "Held",
    "release": "Released to the payee",
    "kept_back": "Set off against the payee's debt",
    "withdrawal_fee": "Withdrawal fee",
    "payee_net": "Payee receives",
    "refund": "Refunded of the milestone",
    "fee_returned": "Platform fee returned",
    "concession": "Absorbed by the platform",
    "refund_total": "Total refunded to the payer",
    "fee_kept": "Platform fee kept",
    "payer_net_cost": "Payer has paid in the end",
}
CALLS = {OperationKind.REFUND: "Refund", OperationKind.TRANSFER: "Transfer", OperationKind.PAYOUT: "Payout"}
NONE = "—"
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """One thing, as it was and as it is."""

    what: str
    before: str
    after: str


def between(before: Content, after: Content) -> tuple[Difference, ...]:
    """Every difference that a person decides by; keys, numbers and hashes that only follow from them are left out."""
    found = (
        *_chosen(before, after),
        *_amounts(before, after),
        *_items(before, after),
        *_calls(before, after),
        *_evidence(before, after),
        *_citations(before, after),
        *_letters(before, after),
    )
    return tuple(each for each in found if each.before != each.after)


def _chosen(before: Content, after: Content) -> Iterator[Difference]:
    yield Difference(
        "Outcome", DecisionOutcome(before["outcome"]).label, DecisionOutcome(after["outcome"]).label
    )
    yield Difference("Ground", Ground(before["ground"]).label, Ground(after["ground"]).label)
    yield Difference("Override", *("Yes" if each["override"] else "No" for each in (before, after)))
    ends = ("Yes" if each.get("ends_project") else "No" for each in (before, after))
    yield Difference("Cancels what is not funded yet", *ends)
    yield Difference("Reasons", before["reasons"], after["reasons"])


def _amounts(before: Content, after: Content) -> Iterator[Difference]:
    old, new = before["amounts"], after["amounts"]
    for name, label in AMOUNTS.items():
        yield Difference(label, *(Money(each.get(name, 0), each["currency"]).text() for each in (old, new)))
    yield Difference("Withdrawn by", *(str(each["withdrawal_method"] or NONE) for each in (old, new)))


def _items(before: Content, after: Content) -> Iterator[Difference]:
    old, new = _by_title(before), _by_title(after)
    for title in dict.fromkeys((*old, *new)):
        yield Difference(f"Item “{title}”", old.get(title, NONE), new.get(title, NONE))


def _by_title(plan: Content) -> dict[str, str]:
    found = recorded(plan.get("items", ()), plan["amounts"]["currency"])
    return {item.title: in_words(item, earned) for item, earned in found}


def _calls(before: Content, after: Content) -> Iterator[Difference]:
    """Where the money goes, if that is no longer the same: another account, another charge."""
    for kind, label in CALLS.items():
        yield Difference(f"{label} goes to", _target(before, kind), _target(after, kind))


def _target(plan: Content, kind: str) -> str:
    found = next((each for each in plan["operations"] if each["kind"] == kind), None)
    if found is None:
        return NONE
    params = found["params"]
    if found.get("waits") == "ACCOUNT":
        return "the account that the payee opens"
    return str(params.get("destination") or found["account"] or params.get("payment_intent") or "the charge")


def _evidence(before: Content, after: Content) -> Iterator[Difference]:
    """What was submitted, which a plan must have seen; nothing submitted is ever taken away."""
    old, new = ({*each["bindings"]["evidence"]} for each in (before, after))
    yield Difference("Evidence on file", _pieces(len(old)), _pieces(len(new)))


def _pieces(number: int) -> str:
    return "1 piece" if number == 1 else f"{number} pieces"


def _citations(before: Content, after: Content) -> Iterator[Difference]:
    for reference in Reference:
        yield Difference(
            f"Cites {reference.label.lower()}",
            *(_cited(each, reference) for each in (before, after)),
        )


def _cited(plan: Content, reference: Reference) -> str:
    found = [each for each in plan["citations"] if each["reference"] == reference]
    if reference is Reference.MILESTONE_EVIDENCE and found:
        pieces = sorted(each["id"] for each in found if each["sha256"] in plan["bindings"]["evidence"])
        return f"pieces {', '.join(map(str, pieces))}" if pieces else "the deliverable"
    if reference is Reference.MESSAGE_HISTORY and found:
        return f"up to message {found[0]['id']}"
    return "yes" if found else "no"


def _letters(before: Content, after: Content) -> Iterator[Difference]:
    old, new = ({each["audience"]: each for each in plan["letters"]} for plan in (before, after))
    for side in ("payer", "payee"):
        yield Difference(f"Words to the {side}", _words(old.get(side)), _words(new.get(side)))


def _words(letter: Content | None) -> str:
    return str(letter.get("passage", "generated from the plan")) if letter else NONE
