"""A decision in a case file: its plan, what it cites, its letters, its trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.audit import recorded_steps
from core.audit.recorded_steps import digest
from core.case_file import verify_money
from core.case_file.check_helpers import Files, Wrong, about, agree, read, same, trail
from core.money import Money
from core.policy import Profile
from core.rules.approvals import DecisionStatus
from core.rules.grounds import Reference
from core.rules.messages import Audience


def _plan(files: Files) -> dict[str, Any]:
    plan: dict[str, Any] = read(files, "plan.json")
    return plan


def _decision(files: Files) -> dict[str, Any]:
    decision: dict[str, Any] = read(files, "decision.json")
    return decision


def _hash(files: Files) -> None:
    plan, decision = _plan(files), _decision(files)
    found = digest(plan)
    if found != decision["plan_hash"]:
        raise Wrong(f"the plan is not the one that was confirmed: its hash is {found[:12]}…")
    for what, stated, planned in recorded_steps.plan_of_decision(decision, plan):
        same(what, stated, planned)
    case = read(files, "case.json")
    for what in ("ticket", "milestone", "project"):
        same(f"the {what} of the plan", plan[what], case[what]["id"])
    if decision["checker_id"] == decision["maker_id"]:
        raise Wrong("the decision was approved by whoever made it")
    alone = decision["checker_id"] in (None, decision["maker_id"])
    if decision["needs_approval"] and decision["status"] != DecisionStatus.AWAITING_APPROVAL and alone:
        raise Wrong("the decision needed a second person and has none")


def _amounts(files: Files) -> None:
    verify_money.amounts(files, _plan(files))
    verify_money.division(_plan(files))


def _journal(files: Files) -> None:
    verify_money.journal(files, _plan(files), executed=_decision(files)["status"] == DecisionStatus.EXECUTED)


def _calls(files: Files) -> None:
    verify_money.calls(_plan(files))


def _citations(files: Files) -> None:
    """What was cited is pinned to hashes (payment-escrow-rules, Refund Rules)."""
    plan, case = _plan(files), read(files, "case.json")
    pieces = {each["id"]: each["sha256"] for each in read(files, "evidence.json")}
    said = [
        [each["id"], each["body"]]
        for each in read(files, "messages.json")
        if each["audience"] == Audience.PARTIES
    ]
    erased = [each["id"] for each in read(files, "messages.json") if each.get("erased") is True]
    for cited in plan["citations"]:
        number, pinned, reference = cited["id"], cited["sha256"], cited["reference"]
        now: str | None
        match reference:
            case Reference.RESOLUTION_NOTES:
                now = digest(plan["reasons"])
            case Reference.ENGAGEMENT_SCOPE:
                now = digest(case["project"]["scope"])
            case Reference.MESSAGE_HISTORY if any(each <= number for each in erased):
                continue  # their words cannot be hashed again, and the report says that they were erased
            case Reference.MESSAGE_HISTORY:
                now = digest([each for each in said if each[0] <= number])
            case _ if pinned in pieces.values():
                now = pieces.get(number)
            case _:
                now = digest(case["milestone"]["deliverable"])
        if now != pinned:
            raise Wrong(f"the citation {reference.replace('_', ' ').lower()} {number} is not what was cited")


def _letters(files: Files) -> None:
    """As they stand in the plan; an edited one still names the amounts, and has the words that were confirmed."""
    plan, case = _plan(files), read(files, "case.json")
    names = {f"letters/{letter['audience']}.txt" for letter in plan["letters"]}
    same("the letters", sorted(name for name in files if name.startswith("letters/")), sorted(names))
    parties = {each["role"].lower(): each["id"] for each in case["parties"]}
    for letter in plan["letters"]:
        name = f"letters/{letter['audience']}.txt"
        same(f"the addressee of {name}", letter["to"], parties[letter["audience"]])
        if not _holds(" ".join(letter["subject"].split()), case["milestone"]["title"]):
            raise Wrong(f"the letter {name} is about another milestone than “{case['milestone']['title']}”")
        same(f"the letter {name}", files[name].decode(), f"{letter['subject']}\n\n{letter['text']}")
        words = " ".join(letter["text"].split())
        for amount in _named(plan):
            if amount not in words:
                raise Wrong(f"the letter {name} does not name {amount}")
        if "passage" in letter and not _holds(words, letter["passage"]):
            raise Wrong(f"the letter {name} is not in the words that the mediator wrote")


def _named(plan: dict[str, Any]) -> list[str]:
    amounts = plan["amounts"]
    given = [amounts[name] for name in ("release", "refund") if amounts[name]]
    return [Money(each, amounts["currency"]).text() for each in given]


def _holds(text: str, passage: str) -> bool:
    return all(" ".join(line.split()) in text for line in passage.splitlines())


def _trail(files: Files) -> None:
    """Who confirmed, approved and carried it out, when and why; and nobody did what the decision does not say."""
    decision, case = _decision(files), read(files, "case.json")
    trace = about(trail(files), "decision", decision["id"])
    if not any(row["action"] in recorded_steps.CONFIRMED for row in trace):
        raise Wrong("the audit extract does not know that the decision was confirmed")
    cooling_off = Profile.from_snapshot(read(files, "policy.json")).cooling_off
    agree(recorded_steps.of_decision(decision, trace, cooling_off))
    if decision["status"] == DecisionStatus.EXECUTED:
        same("the resolution of the case", case["ticket"]["resolution"], decision["outcome"])
        same("the notes of the case", case["ticket"]["resolution_notes"], decision["reasons"])


CHECKS: tuple[tuple[str, Callable[[Files], None]], ...] = (
    ("the decision: its plan against the hash that was confirmed", _hash),
    ("the decision: every amount by the rules and the policy", _amounts),
    ("the decision: its journal, planned and booked", _journal),
    ("the decision: the calls to the provider", _calls),
    ("the decision: what it cites", _citations),
    ("the decision: both letters", _letters),
    ("the decision: its trace in the audit log", _trail),
)
