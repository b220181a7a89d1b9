"""What a decision or an offer says of each of its steps, against the entry of that step: who, when, what and why.

One comparison for everybody: `check` and `audit verify` ask it of the database, a case file of itself. Rows and entries
are by column, with their times as the database or as JSON has them. Only the first entry of a step counts, and a second
one is a difference by itself, because no step is taken twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import rfc8785

from core.audit.actions import AuditAction
from core.rules.approvals import DecisionStatus
from core.rules.settlement_proposals import SettlementProposalStatus

Row = Mapping[str, Any]
Facts = Iterable[tuple[str, Any, Any]]
CONFIRMED = (AuditAction.DECISION_CONFIRM.by("mediator"),)
APPROVED, RETURNED = AuditAction.DECISION_APPROVE.by("staff"), AuditAction.DECISION_RETURN.by("staff")
VOIDED = tuple(AuditAction.DECISION_VOID.by(who) for who in ("system", "mediator"))
EXECUTED = (AuditAction.DECISION_EXECUTE.by("system"),)
MADE, ACCEPTED = (
    (AuditAction.SETTLEMENT_PROPOSAL_MAKE.by("party"),),
    AuditAction.SETTLEMENT_PROPOSAL_ACCEPT.by("party"),
)
PROPOSAL_ENDS: Mapping[str, SettlementProposalStatus] = {
    ACCEPTED: SettlementProposalStatus.ACCEPTED,
    **{
        AuditAction.SETTLEMENT_PROPOSAL_DECLINE.by(who): SettlementProposalStatus.DECLINED
        for who in ("party", "system")
    },
    **{
        AuditAction.SETTLEMENT_PROPOSAL_WITHDRAW.by(who): SettlementProposalStatus.WITHDRAWN
        for who in ("party", "system")
    },
    **{
        AuditAction.SETTLEMENT_PROPOSAL_REPLACE.by(who): SettlementProposalStatus.REPLACED
        for who in ("party", "system")
    },
    **{
        AuditAction.SETTLEMENT_PROPOSAL_EXPIRE.by(who): SettlementProposalStatus.EXPIRED
        for who in ("party", "system")
    },
}

# What entries keep since a later version: the hash of why a second person is needed, and until when an offer stands.
WHY_TWO, UNTIL = "second_person", "expires_at"
PLANNED = ("outcome", "ground", "reasons", "citations")


@dataclass(frozen=True)
class Difference:
    """`found` in the row where the entry says `wanted`. `how`: as in `content_hashes.Other`."""

    what: str
    found: Any
    wanted: Any
    entry: int | None
    how: str = "altered"


def digest(content: Any) -> str:
    """Of canonical JSON."""
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def plan_of_decision(row: Row, plan: Row) -> Facts:
    """What stands in a decision, what it is, and what the plan says that its hash stands for."""
    yield from ((f"the decision's {each}", row[each], plan[each]) for each in PLANNED)
    for field in ("release", "refund"):
        yield f"the decision's {field}", row[f"{field}_minor"], plan["amounts"][field]
    yield "the decision's currency", row["currency"], plan["amounts"]["currency"]
    yield "whether the project ends", row.get("ends_project", False), plan.get("ends_project", False)
    yield "the case of the decision", row.get("case_id", row.get("ticket_id")), plan["ticket"]
    yield "the milestone of the decision", row["milestone_id"], plan["milestone"]
    yield "the maker of the plan", row["maker_id"], plan["maker"]


def of_decision(row: Row, entries: Sequence[Row], cooling_off: timedelta) -> Iterator[Difference]:
    """`entries` about it, in their order; `cooling_off` of the policy that its project stands under."""
    confirmed = _first(entries, CONFIRMED)
    if confirmed is None:
        yield Difference("when it was made", row["made_at"], None, None, "unknown")
        return
    yield from _differing(confirmed, _confirmed(row, confirmed))
    checked = _first(entries, (APPROVED, RETURNED))
    voided, executed = _first(entries, VOIDED), _first(entries, EXECUTED)
    yield from _differing(checked, _checked(row, checked))
    noted = voided or checked
    yield from _differing(noted, [("the note", row["check_note"] or None, _of(noted, "reason") or None)])
    yield from _differing(
        executed, [("when it was carried out", _moment(row["executed_at"]), _moment(_of(executed, "at")))]
    )
    last = executed or voided or checked or confirmed
    yield from _differing(last, [("the status", row["status"], _status(last, confirmed))])
    begun = confirmed if not _waited(confirmed) else _first(entries, (APPROVED,))
    due = None if begun is None else datetime.fromisoformat(str(begun["at"])) + cooling_off
    yield from _differing(
        begun, [("when it may be carried out", _moment(row["execute_at"]), due)], how="derived"
    )
    yield from _twice(entries, CONFIRMED, (APPROVED, RETURNED), VOIDED, EXECUTED)


def _confirmed(row: Row, entry: Row) -> Facts:
    said = _after(entry)
    yield "the plan", row["plan_hash"], said.get("plan")
    yield "who made it", row["maker_id"], entry["actor_id"]
    yield "when it was made", _moment(row["made_at"]), _moment(entry["at"])
    yield "the reasons", row["reasons"], entry["reason"]
    for field in ("outcome", "ground"):
        yield f"the {field}", row[field], said.get(field)
    yield "whether it needs a second person", row["needs_approval"], _waited(entry)
    if WHY_TWO in said:
        yield "why it needs a second person", digest(row["approval_reasons"]), said[WHY_TWO]


def _checked(row: Row, entry: Row | None) -> Facts:
    yield "who approved", row["checker_id"], _of(entry, "actor_id")
    yield "when it was approved", _moment(row["checked_at"]), _moment(_of(entry, "at"))


def _waited(confirmed: Row) -> bool:
    return bool(_after(confirmed).get("status") == DecisionStatus.AWAITING_APPROVAL)


def _status(last: Row, confirmed: Row) -> DecisionStatus:
    match last["action"]:
        case action if action in EXECUTED:
            return DecisionStatus.EXECUTED
        case action if action in VOIDED:
            return DecisionStatus.VOIDED
        case action if action == RETURNED:
            return DecisionStatus.RETURNED
        case action if action in CONFIRMED and _waited(confirmed):
            return DecisionStatus.AWAITING_APPROVAL
    return DecisionStatus.COOLING_OFF


def of_settlement_proposal(row: Row, entries: Sequence[Row]) -> Iterator[Difference]:
    """`entries` about it, in their order."""
    made = _first(entries, MADE)
    if made is None:
        yield Difference("when it was made", row["made_at"], None, None, "unknown")
        return
    yield from _differing(made, _offered(row, made))
    ended = _first(entries, PROPOSAL_ENDS)
    yield from _differing(
        ended or made,
        [
            (
                "the status",
                row["status"],
                PROPOSAL_ENDS[ended["action"]] if ended else SettlementProposalStatus.OPEN,
            ),
            ("when it ended", _moment(row["ended_at"]), _moment(_of(ended, "at"))),
        ],
    )
    accepted = _first(entries, (ACCEPTED,))
    yield from _differing(accepted, [("the plan", row["plan_hash"], _after(accepted).get("plan"))])
    yield from _twice(entries, MADE, tuple(PROPOSAL_ENDS))


def _offered(row: Row, entry: Row) -> Facts:
    said = _after(entry)
    yield "who made it", row["proposed_by"], entry["actor_id"]
    yield "when it was made", _moment(row["made_at"]), _moment(entry["at"])
    for field, name in (("release", "released"), ("refund", "refunded")):
        amount = {"minor": row[f"{field}_minor"], "currency": row["currency"]}
        yield f"the {field}", amount, said.get(name)
    if UNTIL in said:
        yield "until when it stands", _moment(row["expires_at"]), _moment(said[UNTIL])


def _differing(entry: Row | None, facts: Facts, *, how: str = "altered") -> Iterator[Difference]:
    for what, found, wanted in facts:
        if found != wanted:
            number = _of(entry, "id")
            yield Difference(what, found, wanted, number, how if number else "unknown")


def _twice(entries: Sequence[Row], *steps: Iterable[str]) -> Iterator[Difference]:
    for actions in steps:
        taken = [each for each in entries if each["action"] in actions]
        for each in taken[1:]:
            yield Difference(f"{each['action']}, said twice", taken[0]["id"], each["id"], each["id"])


def _first(entries: Iterable[Row], actions: Iterable[str]) -> Row | None:
    return next((each for each in entries if each["action"] in actions), None)


def _of(entry: Row | None, column: str) -> Any:
    return None if entry is None else entry[column]


def _after(entry: Row | None) -> Row:
    """Whoever may write entries may write anything into them."""
    said = _of(entry, "after")
    return said if isinstance(said, Mapping) else {}


def _moment(stated: Any) -> datetime | None:
    return None if stated is None else datetime.fromisoformat(str(stated))
