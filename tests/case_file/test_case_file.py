"""A case file is verified from nothing but itself, and whatever is off in it is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from core import case_file
from core.case_file.signing import MANIFEST, SIGNATURE
from core.case_file.summary_pdf import PRINTER, PRINTERS, summary
from core.case_file.verification import CHECKS
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.items import Done, Item
from core.rules.permissions import NotPermitted
from tests import builders
from tests.case_file.packs import (
    Files,
    agreed_and_packed,
    edited,
    export,
    signed_again,
    told_and_packed,
    unpacked,
    zipped,
)

HELD = 180_000  # of the first milestone in `stories`
REFUND = {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.PROVIDER_NO_SHOW}
CHOICES: dict[str, dict[str, Any]] = {
    "full release": {},
    "partial release": {"release": Money(60_000, "USD")},
    "full refund": REFUND,
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_every_ending_verifies_offline(town: builders.Town, tmp_path: Path, choice: dict[str, Any]) -> None:
    made = told_and_packed(town, tmp_path, **choice)
    path = tmp_path / "case.zip"
    path.write_bytes(made.content)
    proof = case_file.verify(path)
    assert proof.wrong is None
    assert len(proof.checked) == len(CHECKS) + 1 - 5  # the signature, and without those of an agreement


def test_an_agreement_verifies_offline_with_every_offer(town: builders.Town, tmp_path: Path) -> None:
    path = tmp_path / "agreed.zip"
    path.write_bytes(agreed_and_packed(town, tmp_path).content)
    proof = case_file.verify(path)
    assert proof.wrong is None
    assert len(proof.checked) == len(CHECKS) + 1 - 7  # the signature, and without those of a decision


def test_the_same_case_gives_the_same_bytes_but_for_the_note_of_the_export(
    town: builders.Town, tmp_path: Path
) -> None:
    made = told_and_packed(town, tmp_path)
    again = export(town, EvidenceStore(tmp_path), 1)
    first, second = unpacked(made.content, tmp_path), unpacked(again.content, tmp_path)
    assert {name for name in first if first[name] != second[name]} == {
        "audit.jsonl",
        MANIFEST,
        SIGNATURE,
    }


def test_an_undecided_case_can_be_exported_and_verified(town: builders.Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    path = tmp_path / "case.zip"
    path.write_bytes(export(town, EvidenceStore(tmp_path), told.case).content)
    proof = case_file.verify(path)
    assert proof.ok
    assert len(proof.checked) == len(CHECKS) + 1 - 12


def test_finance_may_not_export_a_case(town: builders.Town, tmp_path: Path) -> None:
    told = builders.in_mediation(town)
    with pytest.raises(NotPermitted):
        export(town, EvidenceStore(tmp_path), told.case, by="fay")


def test_what_a_party_called_a_file_becomes_no_path(town: builders.Town, tmp_path: Path) -> None:
    names = unpacked(told_and_packed(town, tmp_path).content, tmp_path)
    assert not [name for name in names if ".." in name or name.startswith("/")]


def raised_release(files: Files) -> None:
    """A forger who changes the amount and the hash that stands for the plan."""
    plan, decision = json.loads(files["plan.json"]), json.loads(files["decision.json"])
    plan["amounts"]["release"] += 1
    decision["release_minor"] += 1
    decision["plan_hash"] = hashlib.sha256(rfc8785.dumps(plan)).hexdigest()
    files["plan.json"], files["decision.json"] = json.dumps(plan).encode(), json.dumps(decision).encode()


def other_evidence(files: Files) -> None:
    name = next(each for each in files if each.startswith("evidence/"))
    files[name] = b"The worktop is here."


def hashed_again(change: Callable[[Any], None]) -> Callable[[Files], None]:
    """A forger who knows that the plan has a hash, and where it stands."""

    def edit(files: Files) -> None:
        plan, decision = json.loads(files["plan.json"]), json.loads(files["decision.json"])
        change(plan)
        decision["plan_hash"] = hashlib.sha256(rfc8785.dumps(plan)).hexdigest()
        files["plan.json"], files["decision.json"] = json.dumps(plan).encode(), json.dumps(decision).encode()

    return edit


def without_the_event_between(files: Files) -> None:
    lines = files["events.jsonl"].decode().splitlines()
    files["events.jsonl"] = "".join(f"{line}\n" for line in [lines[0], *lines[2:]]).encode()


def backwards(files: Files) -> None:
    lines = files["audit.jsonl"].decode().splitlines()
    files["audit.jsonl"] = "".join(f"{line}\n" for line in reversed(lines)).encode()


def without_the_confirmation(files: Files) -> None:
    lines = files["audit.jsonl"].splitlines(keepends=True)
    files["audit.jsonl"] = b"".join(line for line in lines if b"mediator:decision:confirm" not in line)


def other_words_to_the_payee(plan: Any) -> None:
    plan["letters"][1]["passage"] = "You deserve nothing at all, I am afraid."


def nothing_named(plan: Any) -> None:
    plan["letters"][0]["text"] = "All is well."


def a_letter_that_names_nothing(files: Files) -> None:
    hashed_again(nothing_named)(files)
    letter = json.loads(files["plan.json"])["letters"][0]
    files["letters/payer.txt"] = f"{letter['subject']}\n\nAll is well.".encode()


FORGERIES: dict[str, tuple[Callable[[Files], None], str]] = {
    "a word of the reasons": (
        edited("plan.json", lambda plan: plan.update(reasons=plan["reasons"] + "!")),
        "the plan is not the one that was confirmed",
    ),
    "an amount and its hash": (raised_release, "the amount refund is"),
    "a piece of evidence": (other_evidence, "is not what was submitted"),
    "a message that was cited": (
        edited("messages.json", lambda said: said[1].update(body="I agree.")),
        "the citation message history 2 is not what was cited",
    ),
    "the scope": (
        edited("case.json", lambda case: case["project"].update(scope="Nothing")),
        "the citation engagement scope",
    ),
    "a letter": (
        lambda files: files.update({"letters/payer.txt": b"All is well"}),
        "the letter letters/payer.txt",
    ),
    "a booked posting": (
        edited("journals.json", lambda rows: rows[-1]["postings"][0].update(amount=1)),
        "does not sum to zero",
    ),
    "the fee in the policy": (
        edited("policy.json", lambda policy: policy.update(platform_fee_bps=500)),
        "the platform fee by the policy",
    ),
    "the maker": (
        edited("decision.json", lambda row: row.update(maker_id=99)),
        "the maker of the plan",
    ),
    "an item's share": (
        hashed_again(lambda plan: plan["items"][1].update(earned=1)),
        "what is earned of “Worktop”",
    ),
    "an item's value": (
        hashed_again(lambda plan: plan["items"][0].update(value=50_000, earned=50_000)),
        "The items are worth",
    ),
    "what is set off": (
        hashed_again(lambda plan: plan["amounts"].update(kept_back=100)),
        "what the payee receives",
    ),
    "what is set off, and the net": (
        hashed_again(
            lambda plan: plan["amounts"].update(kept_back=100, payee_net=plan["amounts"]["payee_net"] - 100)
        ),
        "what is booked as set off",
    ),
    "the amount of a call": (
        hashed_again(lambda plan: plan["operations"][0]["params"].update(amount=1)),
        "the amount of the refund",
    ),
    "words that the mediator did not write": (
        hashed_again(other_words_to_the_payee),
        "is not in the words that the mediator wrote",
    ),
    "a letter that names no amount": (
        a_letter_that_names_nothing,
        "the letter letters/payer.txt does not name $",
    ),
    "an event taken out": (without_the_event_between, "begins at"),
    "the state of the payment": (
        edited("case.json", lambda case: case["order"].update(state="REFUNDED")),
        "the state of the payment",
    ),
    "an amount of the payment": (
        edited("case.json", lambda case: case["order"].update(held_minor=1)),
        "what was funded",
    ),
    "the order of the audit extract": (backwards, "not in the order"),
    "the trace of the confirmation": (
        without_the_confirmation,
        "does not know that the decision was confirmed",
    ),
    "the case that it is": (
        edited("case.json", lambda case: case["ticket"].update(id=4711)),
        "the case is 4711",
    ),
    "the printed summary": (
        lambda files: files.update({"summary.pdf": files["summary.pdf"] + b"%"}),
        "summary.pdf is not what these files print",
    ),
    "a word that only the print tells": (
        edited("case.json", lambda case: case["parties"][0].update(name="Somebody Else")),
        "summary.pdf is not what these files print",
    ),
}
AGREEMENTS: dict[str, tuple[Callable[[Files], None], str]] = {
    "the agreed plan": (
        edited("agreement.json", lambda plan: plan["amounts"].update(release=1)),
        "the agreement is not the one that was accepted",
    ),
    "the offer": (
        edited("offers.json", lambda rows: rows[1].update(release_minor=1)),
        "the release, in the audit extract",
    ),
    "who agreed": (
        edited("case.json", lambda case: case["parties"][0].update(id=99)),
        "the parties is",
    ),
    "an offer nobody made": (
        edited("offers.json", lambda rows: rows.append({**rows[0], "id": 99})),
        "does not know settlement proposal 99",
    ),
    "a second acceptance": (
        edited("offers.json", lambda rows: rows[0].update(status="ACCEPTED")),
        "the number of accepted settlement proposals",
    ),
    "no acceptance": (
        edited("offers.json", lambda rows: rows[1].update(status="DECLINED")),
        "whether a settlement proposal was accepted",
    ),
    "a booked posting": (
        edited("journals.json", lambda rows: rows.clear()),
        "no such journal was booked",
    ),
}
DIVIDED: dict[str, Any] = {
    "release": Money(1, "USD"),
    "passages": {"payee": "The worktop is missing, as your photographs show."},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_with_a_fitting_manifest_is_found(
    town: builders.Town, tmp_path: Path, forgery: str
) -> None:
    forge, words = FORGERIES[forgery]
    files = unpacked(told_and_packed(town, tmp_path, **DIVIDED, items=three(town)).content, tmp_path)
    forge(files)
    proof = case_file.verify(zipped(signed_again(files), tmp_path))
    assert proof.wrong is not None
    assert words in proof.wrong


def three(town: builders.Town) -> tuple[Item, ...]:
    """Items that sum to the first milestone of a story."""
    whole = Money(HELD, "USD")
    return (
        Item("Cabinets", Money(40_000, "USD"), Done.FULLY),
        Item("Worktop", Money(30_000, "USD"), Done.PARTLY, 5_000),
        Item("Connections", whole - Money(70_000, "USD"), Done.NOT),
    )


@pytest.mark.parametrize("forgery", AGREEMENTS)
def test_a_forged_agreement_is_found(town: builders.Town, tmp_path: Path, forgery: str) -> None:
    forge, words = AGREEMENTS[forgery]
    files = unpacked(agreed_and_packed(town, tmp_path).content, tmp_path)
    forge(files)
    proof = case_file.verify(zipped(signed_again(files), tmp_path))
    assert proof.wrong is not None
    assert words in proof.wrong


def test_damage_to_any_file_names_that_file(town: builders.Town, tmp_path: Path) -> None:
    files = unpacked(told_and_packed(town, tmp_path, **CHOICES["partial release"]).content, tmp_path)
    assert len(files) >= 13
    for name in sorted(files.keys() - {MANIFEST, SIGNATURE}):
        damaged = {**files, name: files[name] + b" "}
        proof = case_file.verify(zipped(damaged, tmp_path))
        assert proof.wrong == f"{name} was changed: its hash is not the manifest's"


def test_a_changed_missing_or_added_file_is_named(town: builders.Town, tmp_path: Path) -> None:
    files = unpacked(told_and_packed(town, tmp_path).content, tmp_path)
    for change, words in (
        ({**files, "policy.json": b"{}"}, "policy.json was changed"),
        (
            {name: content for name, content in files.items() if name != "policy.json"},
            "policy.json is missing",
        ),
        ({**files, "more.txt": b"x"}, "more.txt was added"),
    ):
        proof = case_file.verify(zipped(change, tmp_path))
        assert proof.wrong is not None
        assert words in proof.wrong


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04"])
def test_what_is_no_case_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(case_file.CaseFileUnreadable):
        case_file.verify(path)


@pytest.mark.parametrize("printer", sorted(PRINTERS))
def test_what_an_earlier_layout_printed_verifies_by_that_layout(
    town: builders.Town, tmp_path: Path, printer: str
) -> None:
    files = unpacked(agreed_and_packed(town, tmp_path).content, tmp_path)
    others = {name: each for name, each in files.items() if name not in (MANIFEST, SIGNATURE, "summary.pdf")}
    manifest = json.loads(files[MANIFEST]) | {"printed_by": printer}
    pdf = summary(others, PRINTERS[printer])
    assert (pdf == files["summary.pdf"]) == (printer == PRINTER), "the layouts differ"
    earlier = {**others, MANIFEST: json.dumps(manifest, indent=1).encode(), "summary.pdf": pdf}
    proof = case_file.verify(zipped(signed_again(earlier), tmp_path))
    assert proof.wrong is None
    assert "the printed summary" in proof.checked
