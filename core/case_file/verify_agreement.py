"""What the parties agreed on between themselves: their settlement proposals, and the plan of the accepted one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.audit import recorded_steps
from core.audit.actions import AuditAction
from core.audit.recorded_steps import digest
from core.case_file import verify_money
from core.case_file.check_helpers import Files, Wrong, about, agree, read, same, trail
from core.rules.settlement_proposals import SettlementProposalStatus


def _accepted(files: Files) -> dict[str, Any]:
    found = [
        each for each in read(files, "offers.json") if each["status"] == SettlementProposalStatus.ACCEPTED
    ]
    same("the number of accepted settlement proposals", len(found), 1)
    offer: dict[str, Any] = found[0]
    return offer


def _hash(files: Files) -> None:
    plan, offer = read(files, "agreement.json"), _accepted(files)
    found = digest(plan)
    if found != offer["plan_hash"]:
        raise Wrong(f"the agreement is not the one that was accepted: its hash is {found[:12]}…")
    same("the settlement proposal of the agreement", plan["offer"], offer["id"])
    for field in ("release", "refund"):
        same(f"the agreed {field}", plan["amounts"][field], offer[f"{field}_minor"])
    parties = {each["id"] for each in read(files, "case.json")["parties"]}
    same("who agreed", {plan["proposed_by"], plan["accepted_by"]}, parties)
    same("who made the settlement proposal", plan["proposed_by"], offer["proposed_by"])


def _amounts(files: Files) -> None:
    verify_money.amounts(files, read(files, "agreement.json"))


def _journal(files: Files) -> None:
    verify_money.journal(files, read(files, "agreement.json"), executed=True)


def _calls(files: Files) -> None:
    verify_money.calls(read(files, "agreement.json"))


def _trail(files: Files) -> None:
    offer = _accepted(files)
    accepted = [
        each
        for each in trail(files)
        if each["action"] == AuditAction.SETTLEMENT_PROPOSAL_ACCEPT.by("party")
        and each["object_id"] == str(offer["id"])
    ]
    if not accepted:
        raise Wrong("the audit extract does not know that the settlement proposal was accepted")
    same("the agreement in the audit extract", accepted[0]["after"]["plan"], offer["plan_hash"])
    same(
        "who accepted in the audit extract",
        accepted[0]["actor_id"],
        read(files, "agreement.json")["accepted_by"],
    )


def offers(files: Files) -> None:
    """Every settlement proposal divides the same sum, and the trail knows each."""
    if "offers.json" not in files:
        return
    rows, ticket = read(files, "offers.json"), read(files, "case.json")["ticket"]
    made = {
        each["object_id"]
        for each in trail(files)
        if each["action"] == AuditAction.SETTLEMENT_PROPOSAL_MAKE.by("party")
    }
    for each in rows:
        if str(each["id"]) not in made:
            raise Wrong(f"the audit extract does not know settlement proposal {each['id']}")
        same("the case of the settlement proposal", each.get("case_id", each.get("ticket_id")), ticket["id"])
    agreed = "agreement.json" in files
    same(
        "whether a settlement proposal was accepted",
        any(each["status"] == SettlementProposalStatus.ACCEPTED for each in rows),
        agreed,
    )
    if agreed:
        _accepted(files)
    for each in rows:
        agree(recorded_steps.of_settlement_proposal(each, about(trail(files), "offer", each["id"])))


CHECKS: tuple[tuple[str, Callable[[Files], None]], ...] = (
    ("the agreement: its plan against the hash that was accepted", _hash),
    ("the agreement: every amount by the rules and the policy", _amounts),
    ("the agreement: its journal, planned and booked", _journal),
    ("the agreement: the calls to the provider", _calls),
    ("the agreement: its trace in the audit log", _trail),
)
