"""The parts of a case against each other, and against the audit extract: who, what and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from core.audit import content_comparison, content_hashes
from core.audit.actions import AuditAction
from core.case_file.check_helpers import Files, Wrong, about, read, same, trail
from core.policy import Profile
from core.rules.parties import PartyRole
from core.rules.refunds import RefundStatus

Row = dict[str, Any]
ASKS_FOR_VERIFICATION = (
    AuditAction.MILESTONE_SUBMIT.by("party"),
    AuditAction.DISPUTE_REWORK.by("party"),
    AuditAction.DISPUTE_WITHDRAW.by("party"),
)


def parts(files: Files) -> None:
    """One case, one milestone, one project, two parties: every part means the same."""
    case = read(files, "case.json")
    record, milestone, project, order = (case[name] for name in ("ticket", "milestone", "project", "order"))
    same("the case", record["id"], read(files, "manifest.json")["case"])
    same("the milestone of the case", record["milestone_id"], milestone["id"])
    same("the milestone of the order", order["milestone_id"], milestone["id"])
    same("the project of the milestone", milestone["project_id"], project["id"])
    for what, part in (("milestone", milestone), ("project", project)):
        same(f"the currency of the {what}", part["currency"], order["currency"])
    same("the amount of the milestone", milestone["amount_minor"], order["amount_minor"])
    found = [(each["role"], each["id"]) for each in case["parties"]]
    same(
        "the parties", found, [(PartyRole.PAYER, project["payer_id"]), (PartyRole.PAYEE, project["payee_id"])]
    )
    same("the version of the policy", read(files, "policy.json")["platform"], project["platform"])


def staged(files: Files) -> None:
    """What was agreed and complained about, when, and who mediates."""
    case, rows = read(files, "case.json"), trail(files)
    record, milestone = case["ticket"], case["milestone"]
    parties = {each["id"] for each in case["parties"]}
    for row in rows:
        if row["actor_kind"] == "party" and row["actor_id"] not in parties:
            raise Wrong(f"audit entry {row['id']} names party {row['actor_id']}, who is not of this case")
    opened = [row for row in about(rows, "ticket", record["id"]) if row["action"].endswith(":open")]
    _traced("when the case was opened", record["opened_at"], [row["at"] for row in opened])
    assigned = [row for row in about(rows, "ticket", record["id"]) if "mediator" in (row["after"] or {})]
    mediator = None
    for row in assigned:
        same(f"the mediator before audit entry {row['id']}", row["before"]["mediator"], mediator)
        mediator = row["after"]["mediator"]
    same("the mediator", record["mediator_id"], mediator)
    _stands(record, opened, about(rows, "ticket", record["id"]))
    if milestone["completion_notice_at"]:
        asked = [row["at"] for row in rows if row["action"] in ASKS_FOR_VERIFICATION]
        _traced("the notice of completion", milestone["completion_notice_at"], asked)
    if milestone["completion_notice_at"] and milestone["dispute_until"]:
        _window(files, milestone)
    if milestone["ended_at"]:
        ended = [row["at"] for row in rows if row["action"] == AuditAction.MILESTONE_FINISH.by("system")]
        _traced("the end of the milestone", milestone["ended_at"], ended)


def _stands(record: Row, opened: list[Row], rows: list[Row]) -> None:
    """Since entries keep hashes, each of a case's steps has an entry that says its status."""
    name = content_hashes.name("tickets", record["id"])
    hashed = any(name in ((row["after"] or {}).get(content_hashes.KEPT_IN) or {}) for row in opened)
    said = [row["after"]["status"] for row in rows if "status" in (row["after"] or {})]
    if hashed and said:
        same("the status of the case", record["status"], said[-1])


def _window(files: Files, milestone: Row) -> None:
    """How long the payer may complain is of the policy (milestone-payment-flow, Key Business Rules)."""
    window = Profile.from_snapshot(read(files, "policy.json")).dispute_window
    until = datetime.fromisoformat(milestone["completion_notice_at"]) + (window or timedelta())
    same("the end of the dispute window", datetime.fromisoformat(milestone["dispute_until"]), until)


def messages(files: Files) -> None:
    """Every message that was sent is there, of whom and when the extract says, and none else."""
    rows = {row["object_id"]: row for row in trail(files) if row["action"].endswith(":message:send")}
    said = read(files, "messages.json")
    _complete("message", {str(each["id"]) for each in said}, rows.keys())
    for each in said:
        row, what = rows[str(each["id"])], f"message {each['id']}"
        same(
            f"who wrote {what}",
            (each["author_kind"], each["author_id"]),
            (row["actor_kind"], row["actor_id"]),
        )
        same(f"when {what} was sent", each["at"], row["at"])
        same(f"who may read {what}", each["audience"], row["after"]["audience"])
    _complaint(files, [each["body"] for each in said])


def words(files: Files) -> None:
    """The case, its settlement proposals and its decision say what their entries recorded."""
    kept, others = content_comparison.known(
        (key, value, row["id"])
        for row in trail(files)
        for key, value in ((row["after"] or {}).get(content_hashes.KEPT_IN) or {}).items()
    )
    for other in others:
        raise Wrong(f"{other.text}, or a later one did otherwise")
    for part, row in _rows_of_words(files):
        recorded, entry = kept.get(content_hashes.name(part, row["id"]), (None, 0))
        if row.get("erased") is True:
            continue
        if recorded is not None and recorded != content_hashes.digest(part, row):
            raise Wrong(content_hashes.Other(part, str(row["id"]), "altered", entry).text)


def _rows_of_words(files: Files) -> Iterator[tuple[str, Row]]:
    for part in ("tickets", "ticket_details", "ticket_ends", "ticket_mediators"):
        yield part, read(files, "case.json")["ticket"]
    for name in ("offers", "messages", "evidence"):
        if f"{name}.json" in files:
            yield from ((name, row) for row in read(files, f"{name}.json"))
    if "decision.json" in files:
        yield "decisions", read(files, "decision.json")


def _complaint(files: Files, said: list[str]) -> None:
    """What the payer complains of is a message too, where the payer has opened the case and said why."""
    record = read(files, "case.json")["ticket"]
    opened = {row["action"] for row in about(trail(files), "ticket", record["id"])}
    if AuditAction.DISPUTE_OPEN.by("party") in opened and record["details"] and record["details"] not in said:
        raise Wrong("the complaint is not what its message says")


def evidence(files: Files) -> None:
    """Every piece that was submitted is there, by whom and when the extract says, and none else."""
    rows = {
        row["object_id"]: row
        for row in trail(files)
        if row["action"] == AuditAction.EVIDENCE_HAND_IN.by("party")
    }
    pieces = read(files, "evidence.json")
    _complete("evidence", {str(each["id"]) for each in pieces}, rows.keys())
    for each in pieces:
        row, what = rows[str(each["id"])], f"evidence {each['id']}"
        for fact, known in row["after"].items():
            if fact == content_hashes.KEPT_IN:
                continue
            same(f"the {fact.replace('_', ' ')} of {what}", each[fact], known)
        same(f"who submitted {what}", each["uploaded_by"], row["actor_id"])
        same(f"when {what} was submitted", each["at"], row["at"])
        if each["file"] is None:
            continue
        same(f"the size of {what}", len(files[each["file"]]), each["size_bytes"])
        if not each["file"].startswith(f"evidence/{each['id']}-{each['sha256'][:12]}."):
            raise Wrong(f"{what} is kept under the name of another: {each['file']}")


def money(files: Files) -> None:
    """What was paid, refunded and sent has its entries."""
    case, rows = read(files, "case.json"), trail(files)
    order = case["order"]
    if order["funded_minor"]:
        asked = [
            row["after"]["charge"]["minor"]
            for row in rows
            if row["action"] == AuditAction.MILESTONE_FUND.by("party")
        ]
        _traced("the charge", order["charge_minor"], asked)
        held = [
            row["after"]["held"]["minor"]
            for row in rows
            if row["action"] == AuditAction.PAYMENT_HOLD.by("system")
        ]
        _traced("what was held at first", order["funded_minor"], held)
    settled = {row["object_id"] for row in rows if row["action"] == AuditAction.REFUND_SETTLE.by("system")}
    for each in case["refunds"]:
        if each["status"] == RefundStatus.SUCCEEDED and str(each["id"]) not in settled:
            raise Wrong(f"the audit extract does not know that refund {each['id']} was sent")
    sent = {row["operation_key"] for row in rows if row["action"] == AuditAction.PAYOUT_TRANSFER.by("system")}
    booked = {row["key"] for row in read(files, "journals.json") if row["kind"] == "withdrawal"}
    if odd := sorted(booked ^ sent):
        raise Wrong(f"the transfer {odd[0]} is not both booked and in the audit extract")


def undecided(files: Files) -> None:
    """A case without a decision has none in its trail either."""
    if "plan.json" in files:
        return
    record = read(files, "case.json")["ticket"]
    for row in trail(files):
        if row["action"] == AuditAction.DECISION_EXECUTE.by("system") and row["ticket_id"] == record["id"]:
            raise Wrong(f"the decision that audit entry {row['id']} carries out is missing")


def _traced(what: str, stated: Any, known: list[Any]) -> None:
    if stated not in known:
        raise Wrong(f"{what} is {stated}, and the audit extract does not know it")


def _complete(what: str, there: set[str], known: Any) -> None:
    if odd := sorted(there - set(known)):
        raise Wrong(f"the audit extract does not know {what} {odd[0]}")
    if odd := sorted(set(known) - there):
        raise Wrong(f"{what} {odd[0]} is missing: the audit extract knows it")


CHECKS: tuple[tuple[str, Callable[[Files], None]], ...] = (
    ("every part is of one case", parts),
    ("the complaint, the deadlines and the mediator in the audit log", staged),
    ("every message in the audit log", messages),
    ("every piece of evidence in the audit log", evidence),
    ("every payment, refund and transfer in the audit log", money),
    ("no decision is missing", undecided),
)
