"""Verifying a case file offline: every hash and every amount again, from nothing but the file."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import rfc8785

from core.errors import DeskError
from core.ledger import postings
from core.ledger.journal import Journal
from core.money import Money
from core.policy import Profile
from core.rules import fees, splits
from core.rules.grounds import DecisionOutcome, Ground

FORMAT = "escrow-desk/case-file/1"
MANIFEST = "manifest.json"
LARGEST = 2 * 1024**3
Files = Mapping[str, bytes]


class CaseFileUnreadable(DeskError):
    """{path} is not a case file: {why}."""


@dataclass(frozen=True)
class Proof:
    """`wrong` is the first thing that is off, None when nothing is. `checked` says what was looked at until then."""

    case: int | None
    checked: tuple[str, ...]
    wrong: str | None

    @property
    def ok(self) -> bool:
        return self.wrong is None


class _Wrong(Exception):
    pass


def verify(path: Path) -> Proof:
    """Check the file and stop at the first fault. Raises `CaseFileUnreadable` for what is no case file at all."""
    files = _read(path)
    checked: list[str] = []
    case = None
    try:
        case = int(json.loads(files[MANIFEST])["case"])
        for what, check in CHECKS:
            if what.startswith("the decision") and "plan.json" not in files:
                continue
            check(files)
            checked.append(what)
    except _Wrong as fault:
        return Proof(case, tuple(checked), str(fault))
    except (DeskError, KeyError, TypeError, ValueError) as fault:
        return Proof(case, tuple(checked), f"{type(fault).__name__} while reading: {fault}")
    return Proof(case, tuple(checked), None)


def _read(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
            if sum(each.file_size for each in entries) > LARGEST:
                raise CaseFileUnreadable(path=path, why="it is too large")
            if len({each.filename for each in entries}) != len(entries):
                raise CaseFileUnreadable(path=path, why="it has two files of one name")
            files = {each.filename: packed.read(each) for each in entries}
    except (OSError, zipfile.BadZipFile, RuntimeError) as problem:
        raise CaseFileUnreadable(path=path, why=str(problem)) from None
    if MANIFEST not in files:
        raise CaseFileUnreadable(path=path, why="it has no manifest")
    return files


def _manifest(files: Files) -> None:
    manifest = json.loads(files[MANIFEST])
    _same("the format", manifest["format"], FORMAT)
    listed = manifest["files"]
    for name in sorted(files.keys() - {MANIFEST} - listed.keys()):
        raise _Wrong(f"{name} was added: the manifest does not know it")
    for name in sorted(listed):
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise _Wrong(f"{name} is not a path inside the case file")
        if name not in files:
            raise _Wrong(f"{name} is missing")
        if hashlib.sha256(files[name]).hexdigest() != listed[name]["sha256"]:
            raise _Wrong(f"{name} was changed: its hash is not the manifest's")
    _same("whether it is decided", manifest["decided"], "plan.json" in files)


def _evidence(files: Files) -> None:
    pieces = json.loads(files["evidence.json"])
    for piece in pieces:
        if hashlib.sha256(files[piece["file"]]).hexdigest() != piece["sha256"]:
            raise _Wrong(f"evidence {piece['id']} is not what was handed in: its content has another hash")
    kept = {name for name in files if name.startswith("evidence/")}
    if odd := sorted(kept ^ {piece["file"] for piece in pieces}):
        raise _Wrong(f"{odd[0]} is not listed in evidence.json")


def _journals(files: Files) -> None:
    for journal in json.loads(files["journals.json"]):
        off_by = sum(each["amount"] for each in journal["postings"])
        if off_by:
            raise _Wrong(f"journal {journal['key']} does not sum to zero: it is off by {off_by}")


def _hash(files: Files) -> None:
    plan, decision = _plan(files), _decision(files)
    digest = hashlib.sha256(rfc8785.dumps(plan)).hexdigest()
    if digest != decision["plan_hash"]:
        raise _Wrong(f"the plan is not the one that was confirmed: its hash is {digest[:12]}…")
    for field in ("outcome", "ground", "reasons", "citations"):
        _same(f"the decision's {field}", decision[field], plan[field])
    for field in ("release", "refund"):
        _same(f"the decision's {field}", decision[f"{field}_minor"], plan["amounts"][field])
    alone = decision["checker_id"] in (None, decision["maker_id"])
    if decision["needs_approval"] and decision["status"] != "AWAITING_APPROVAL" and alone:
        raise _Wrong("the decision needed a second person and has none")


def _amounts(files: Files) -> None:
    """The split again, by the rules and the policy in the file."""
    plan = _plan(files)
    stated = plan["amounts"]
    split = _split(files)
    for field in ("release", "refund", "fee_kept", "fee_returned", "concession"):
        _same(f"the amount {field.replace('_', ' ')}", stated[field], getattr(split, field).minor)
    _same("the refund in all", stated["refund_total"], split.total_refund.minor)
    _same("what the payee receives", stated["payee_net"], stated["release"] - stated["withdrawal_fee"])
    _same(
        "what the payer has paid in the end",
        stated["payer_net_cost"],
        stated["charged"] - stated["refund_total"],
    )


def _split(files: Files) -> splits.Split:
    plan = _plan(files)
    stated, currency = plan["amounts"], plan["amounts"]["currency"]
    profile = Profile.from_snapshot(json.loads(files["policy.json"]))
    held = Money(stated["held"], currency)
    fee = fees.platform_fee(held, profile)
    match DecisionOutcome(plan["outcome"]):
        case DecisionOutcome.FULL_RELEASE:
            return splits.full_release(held, fee)
        case DecisionOutcome.FULL_REFUND:
            processing = Money(stated["charged"], currency) - held - fee
            return splits.full_refund(held, fee, Ground(plan["ground"]), processing)
    release = Money(stated["release"], currency)
    return splits.partial(held, fee, release, profile.platform_fee_bps)


def _journal(files: Files) -> None:
    """The journal of the plan again, and the journal that was booked."""
    plan, case, split = _plan(files), json.loads(files["case.json"]), _split(files)
    made = postings.decided(
        key=plan["journal"]["key"],
        milestone_id=plan["milestone"],
        payee_id=case["project"]["payee_id"],
        release=split.release,
        refund=split.refund,
        fee_kept=split.fee_kept,
        fee_returned=split.fee_returned,
        concession=split.concession,
        cause={},
    )
    _same("the journal of the plan", _by_account(plan["journal"]["postings"]), _of(made))
    booked = {each["key"]: each for each in json.loads(files["journals.json"])}
    if _decision(files)["status"] == "EXECUTED":
        if made.key not in booked:
            raise _Wrong(f"the journal {made.key} of the executed plan was not booked")
        _same("the booked journal", _by_account(booked[made.key]["postings"]), _of(made))


def _by_account(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {each["account"]: each["amount"] for each in rows}


def _of(journal: Journal) -> dict[str, int]:
    return {each.account: each.amount.minor for each in journal.postings}


def _calls(files: Files) -> None:
    plan = _plan(files)
    sent = {"REFUND": plan["amounts"]["refund_total"], "TRANSFER": plan["amounts"]["payee_net"]}
    for call in plan["operations"]:
        wanted = sent.get(call["kind"], plan["amounts"]["payee_net"])
        _same(f"the amount of the {call['kind'].lower()}", call["params"]["amount"], wanted)
        _same(f"the key of the {call['kind'].lower()}", call["idempotency_key"], f"{call['key']}:1")


def _citations(files: Files) -> None:
    """What was cited is pinned to hashes (payment-escrow-rules, Refund Rules)."""
    plan, case = _plan(files), json.loads(files["case.json"])
    pieces = {each["id"]: each["sha256"] for each in json.loads(files["evidence.json"])}
    said = [
        [each["id"], each["body"]]
        for each in json.loads(files["messages.json"])
        if each["audience"] == "PARTIES"
    ]
    for cited in plan["citations"]:
        number, pinned, reference = cited["id"], cited["sha256"], cited["reference"]
        now: str | None
        match reference:
            case "RESOLUTION_NOTES":
                now = _digest(plan["reasons"])
            case "ENGAGEMENT_SCOPE":
                now = _digest(case["project"]["scope"])
            case "MESSAGE_HISTORY":
                now = _digest([each for each in said if each[0] <= number])
            case _ if pinned in pieces.values():
                now = pieces.get(number)
            case _:
                now = _digest(case["milestone"]["deliverable"])
        if now != pinned:
            raise _Wrong(f"the citation {reference.replace('_', ' ').lower()} {number} is not what was cited")


def _letters(files: Files) -> None:
    for letter in _plan(files)["letters"]:
        name = f"letters/{letter['audience']}.txt"
        _same(f"the letter {name}", files[name].decode(), f"{letter['subject']}\n\n{letter['text']}")


def _trail(files: Files) -> None:
    decision = _decision(files)
    entries = [json.loads(line) for line in files["audit.jsonl"].decode().splitlines()]
    confirmed = [
        each
        for each in entries
        if each["action"] == "mediator:decision:confirm" and each["object_id"] == str(decision["id"])
    ]
    if not confirmed:
        raise _Wrong("the audit extract does not know that the decision was confirmed")
    _same("the plan in the audit extract", confirmed[0]["after"]["plan"], decision["plan_hash"])
    _same("the maker in the audit extract", confirmed[0]["actor_id"], decision["maker_id"])


def _plan(files: Files) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(files["plan.json"])
    return plan


def _decision(files: Files) -> dict[str, Any]:
    decision: dict[str, Any] = json.loads(files["decision.json"])
    return decision


def _digest(content: Any) -> str:
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _same(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise _Wrong(f"{what} is {_short(found)}, and should be {_short(wanted)}")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


CHECKS: tuple[tuple[str, Callable[[Files], None]], ...] = (
    ("every file against the manifest", _manifest),
    ("every piece of evidence against its hash", _evidence),
    ("every journal sums to zero", _journals),
    ("the decision: its plan against the hash that was confirmed", _hash),
    ("the decision: every amount by the rules and the policy", _amounts),
    ("the decision: its journal, planned and booked", _journal),
    ("the decision: the calls to the provider", _calls),
    ("the decision: what it cites", _citations),
    ("the decision: both letters", _letters),
    ("the decision: its trace in the audit log", _trail),
)


def lines(proof: Proof) -> Iterator[str]:
    yield from (f"✓ {what}" for what in proof.checked)
    if proof.wrong:
        yield f"✗ {proof.wrong}"
