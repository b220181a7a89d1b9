"""Whatever somebody changes in a case file is found: by the desk's signature always, and by its parts mostly.

Three forgers try each change. One leaves the signature as it was; one lists and prints everything again and signs with
a key of their own; the same one meets somebody who knows the desk's key.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import case_file
from core.case_file import signing
from core.case_file.signing import MANIFEST, SIGNATURE, SIGNED_AS, sign
from core.money import Money
from tests import builders
from tests.case_file.packs import (
    DESK,
    FORGER,
    Files,
    Forgery,
    edited,
    listed_again,
    printed_again,
    rewritten,
    signed_again,
    told_and_packed,
    unpacked,
    zipped,
)

YEARS_AGO = "2020-01-01T00:00:00+00:00"


def on(part: str, **facts: Any) -> Forgery:
    """Other facts about a part of the case."""
    return edited("case.json", lambda case: case[part].update(facts))


def more(part: str, *names: str) -> Forgery:
    """A dollar more."""
    return edited(
        "case.json", lambda case: case[part].update({name: case[part][name] + 100 for name in names})
    )


def decision(**facts: Any) -> Forgery:
    return edited("decision.json", lambda row: row.update(facts))


def first(name: str, **facts: Any) -> Forgery:
    """Other facts about the first of several."""
    return edited(name, lambda rows: rows[0].update(facts))


def entry(which: str, **facts: Any) -> Forgery:
    return rewritten("audit.jsonl", lambda rows: rows[place(rows, which)].update(facts))


def place(rows: list[Any], action: str) -> int:
    """Of the first entry of its kind in the audit extract."""
    return [row["action"] for row in rows].index(action)


def a_dollar_from_one_to_the_other(case: Any) -> None:
    case["order"]["released_minor"] -= 100
    case["order"]["refunded_minor"] += 100


def one_more_message(said: Any) -> None:
    said.append({**said[-1], "id": said[-1]["id"] + 1, "body": "I take it all back."})


def twice_as_much(journals: Any) -> None:
    for posting in journals[-1]["postings"]:
        posting["amount"] *= 2


def no_decision(files: Files) -> None:
    for name in ("plan.json", "decision.json", "letters/payer.txt", "letters/payee.txt"):
        del files[name]
    edited(MANIFEST, lambda manifest: manifest.update(decided=False))(files)


def self_approved(row: Any) -> None:
    row.update(checker_id=5, checked_at=row["made_at"])


def without_decisions(rows: list[Any]) -> None:
    rows[:] = [row for row in rows if "decision" not in row["action"]]


SUBMITTED = "party:milestone:submit"
# None: nothing else in the file knows the fact, so only the signature tells.
FORGERIES: dict[str, tuple[Forgery, str | None]] = {
    "the name of a party": (edited("case.json", lambda case: case["parties"][0].update(name="X")), None),
    "the scope": (on("project", scope="With the garden."), "the citation engagement scope"),
    "the deliverable": (on("milestone", deliverable="A drawing."), None),
    "the title of the milestone": (on("milestone", title="Garden"), "is about another milestone"),
    "the amount of the milestone": (more("milestone", "amount_minor"), "the amount of the milestone"),
    "when work was called done": (
        on("milestone", completion_notice_at=YEARS_AGO),
        "the notice of completion is",
    ),
    "the complaint": (on("ticket", details="All is well."), "the complaint is not what its message says"),
    "when the case was opened": (on("ticket", opened_at=YEARS_AGO), "when the case was opened"),
    "the notes of the case": (on("ticket", resolution_notes="No reason."), "the notes of the case"),
    "the mediator": (on("ticket", mediator_id=77), "the mediator is 77"),
    "who has a dollar": (edited("case.json", a_dollar_from_one_to_the_other), "what was refunded"),
    "the charge": (more("order", "charge_minor"), "the charge of the order"),
    "the platform fee": (more("order", "platform_fee_minor"), "the charge of the order"),
    "the platform fee and the charge": (
        more("order", "platform_fee_minor", "charge_minor"),
        "the platform fee of the order",
    ),
    "the fee that was kept": (more("order", "fee_kept_minor"), "the fee that was kept"),
    "the amount of a refund": (
        edited("case.json", lambda case: case["refunds"][0].update(amount_minor=1)),
        "the sum of the refunds",
    ),
    "the maker": (decision(maker_id=99), "the maker of the plan"),
    "when it was made": (decision(made_at=YEARS_AGO), "when it was made"),
    "a second person": (edited("decision.json", self_approved), "who approved"),
    "the maker as second person": (decision(checker_id=1), "approved by whoever made it"),
    "the reasons": (decision(reasons="For other reasons altogether."), "the decision's reasons"),
    "the outcome": (decision(outcome="FULL_REFUND"), "the decision's outcome"),
    "the ground": (decision(ground="OUTCOME_DISSATISFACTION"), "the decision's ground"),
    "whether it was carried out": (
        decision(status="COOLING_OFF"),
        "the status, in the audit extract, is COOLING_OFF",
    ),
    "a note of approval": (decision(check_note="Looks right."), "the note, in the audit extract, is Looks"),
    "that nobody else was needed": (decision(needs_approval=True), "the decision needed a second person"),
    "why somebody else was needed": (
        decision(approval_reasons=[{"code": "HIGH_VALUE", "sentence": "It is a lot."}]),
        "why it needs a second person",
    ),
    "when it may be carried out": (decision(execute_at=YEARS_AGO), "when it may be carried out"),
    "which milestone it is about": (decision(milestone_id=77), "the milestone of the decision"),
    "which case it is about": (decision(case_id=77), "the case of the decision"),
    "its currency": (decision(currency="EUR"), "the decision's currency"),
    "when a file was taken": (first("evidence.json", taken_at=YEARS_AGO), "the taken at of evidence 1"),
    "the message of the complaint": (first("messages.json", body="I agree."), "the complaint is not"),
    "a message left out": (edited("messages.json", lambda said: said.pop()), "message 2 is missing"),
    "who may read a message": (first("messages.json", audience="STAFF"), "who may read message 1"),
    "who wrote a message": (first("messages.json", author_id=77), "who wrote message 1"),
    "a message put in": (edited("messages.json", one_more_message), "does not know message 3"),
    "what a piece of evidence is said to be": (
        first("evidence.json", caption="Proof of guilt."),
        "Evidence 1 is not what audit entry",
    ),
    "who handed it in": (first("evidence.json", uploaded_by=99), "who submitted evidence 1"),
    "when it was handed in": (first("evidence.json", at=YEARS_AGO), "when evidence 1 was submitted"),
    "the name of its file": (
        first("evidence.json", file_name="other.txt"),
        "Evidence 1 is not what audit entry",
    ),
    "why the case was opened": (
        edited("case.json", lambda case: case["ticket"].update(reason="NOT_DELIVERED")),
        "Case 1 is not what audit entry",
    ),
    "the last journal left out": (edited("journals.json", lambda rows: rows.pop()), "what is payable"),
    "the first journal left out": (
        edited("journals.json", lambda rows: rows.pop(0)),
        "no such journal was booked",
    ),
    "a journal twice": (
        edited("journals.json", lambda rows: rows.append({**rows[0], "id": 99})),
        "is there twice",
    ),
    "a journal of twice the amount": (edited("journals.json", twice_as_much), "what is payable"),
    "the account of a posting": (
        edited("journals.json", lambda rows: rows[0]["postings"][-1].update(account="platform_fee_revenue")),
        "the platform fee of the order",
    ),
    "the fee in the policy": (
        edited("policy.json", lambda policy: policy.update(platform_fee_bps=999)),
        "the platform fee by the policy",
    ),
    "the window in the policy": (
        edited("policy.json", lambda policy: policy.update(dispute_window=1)),
        "the end of the dispute window",
    ),
    "an assignment left out": (
        rewritten("audit.jsonl", lambda rows: rows.pop(place(rows, "system:ticket:assign"))),
        "the mediator before",
    ),
    "who did something": (entry(SUBMITTED, actor_id=88), "names party 88"),
    "what somebody did": (entry(SUBMITTED, action="party:bid:make"), "the notice of completion"),
    "why something was done": (entry("system:milestone:finish", reason="Made up."), None),
    "when something was done": (entry(SUBMITTED, at=YEARS_AGO), "the notice of completion"),
    "the last entries left out": (
        rewritten(
            "audit.jsonl", lambda rows: rows.__delitem__(slice(place(rows, "system:milestone:finish"), None))
        ),
        "the end of the milestone",
    ),
    "the entries of the decision left out": (
        rewritten("audit.jsonl", without_decisions),
        "does not know that the decision was confirmed",
    ),
    "what caused a change of the payment": (
        rewritten("events.jsonl", lambda rows: rows[-1].update(cause="x")),
        "was caused by x",
    ),
    "when the payment changed": (
        rewritten("events.jsonl", lambda rows: rows[-1].update(at=YEARS_AGO)),
        "and its journal is not",
    ),
    "the amounts of a change": (
        rewritten("events.jsonl", lambda rows: rows[-1]["amounts"].update(released=1)),
        "accounts for",
    ),
    "the last change left out": (
        rewritten("events.jsonl", lambda rows: rows.pop()),
        "the state of the payment",
    ),
    "a letter": (
        lambda files: files.update({"letters/payer.txt": b"Dear payer"}),
        "the letter letters/payer",
    ),
    "a letter put in": (lambda files: files.update({"letters/bank.txt": b"Dear bank"}), "the letters is"),
    "which case it is": (edited(MANIFEST, lambda manifest: manifest.update(case=999)), "should be 999"),
    "the decision left out": (no_decision, "the decision that audit entry"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_found_by_its_content_or_by_the_key_that_signed_it(
    town: builders.Town, tmp_path: Path, forgery: str
) -> None:
    forge, words = FORGERIES[forgery]
    files = unpacked(told_and_packed(town, tmp_path, release=Money(60_000, "USD")).content, tmp_path)
    forge(files)
    left = case_file.verify(zipped(files, tmp_path))
    assert not left.ok, "the manifest or the signature is the one of another file"
    listed = case_file.verify(zipped(listed_again(files), tmp_path))
    assert listed.wrong == "the signature does not fit: the manifest was changed after it was signed"
    careful = zipped(signed_again(printed_or_not(files)), tmp_path)
    found = case_file.verify(careful)
    assert found.key == FORGER.public.fingerprint
    assert (words is None) == (found.wrong is None)
    assert words is None or words in (found.wrong or "")
    asked = case_file.verify(careful, key=DESK.public.fingerprint)
    assert asked.wrong == f"it is signed by key {found.key}, and not by {DESK.public.fingerprint}"


def printed_or_not(files: Files) -> Files:
    """Where the forgery can still be printed, the forger prints it."""
    try:
        return printed_again(files)
    except (KeyError, ValueError):
        return files


def test_an_untouched_file_is_known_by_the_desks_key_alone(town: builders.Town, tmp_path: Path) -> None:
    path = zipped(unpacked(told_and_packed(town, tmp_path).content, tmp_path), tmp_path)
    key = DESK.public.fingerprint
    for wanted, known in ((None, False), (key, True)):
        proof = case_file.verify(path, key=wanted)
        assert (proof.wrong, proof.key, proof.known) == (None, key, known)
    assert not case_file.verify(path, key=FORGER.public.fingerprint).ok


def test_a_signature_that_is_missing_broken_or_taken_from_elsewhere_is_none(
    town: builders.Town, tmp_path: Path
) -> None:
    files = unpacked(told_and_packed(town, tmp_path).content, tmp_path)
    written = json.loads(files[SIGNATURE])
    bare = json.dumps({**written, "signature": DESK.sign(files[MANIFEST]).hex()}, indent=1).encode()
    for content, words in (
        (None, "it is not signed"),
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (json.dumps({**written, "key": "00"}).encode(), "cannot be read"),
        (json.dumps({**written, "note": "x"}, indent=1).encode(), "not as the desk writes it"),
        (bare, "does not fit"),
        (sign(b"another manifest", DESK), "does not fit"),
    ):
        others = {name: each for name, each in files.items() if name != SIGNATURE}
        proof = case_file.verify(
            zipped(others if content is None else {**others, SIGNATURE: content}, tmp_path)
        )
        assert proof.wrong is not None
        assert words in proof.wrong
        assert proof.key is None
    assert not SIGNED_AS.startswith(b"{"), "checkpoints are JSON, so neither can pass for the other"


def test_a_file_of_the_first_format_is_refused_in_a_sentence(town: builders.Town, tmp_path: Path) -> None:
    files = unpacked(told_and_packed(town, tmp_path).content, tmp_path)
    edited(MANIFEST, lambda manifest: manifest.update(format="escrow-desk/case-file/1"))(files)
    del files[SIGNATURE]
    proof = case_file.verify(zipped(listed_again(files), tmp_path))
    assert proof.wrong is not None
    assert "was not signed" in proof.wrong
    assert "export the case again" in proof.wrong


def test_a_key_is_named_by_its_file_or_by_its_fingerprint_however_it_is_written(tmp_path: Path) -> None:
    path, key = tmp_path / "desk.pub", DESK.public.fingerprint
    DESK.public.write(path)
    for given in (key, key.upper(), key.replace(":", ""), key.replace(":", " "), str(path)):
        assert signing.named_key(given) == key
    (tmp_path / "none.pub").write_text("no key")
    for given in ("", key[:-1], str(tmp_path / "absent.pub"), str(tmp_path / "none.pub"), str(tmp_path)):
        with pytest.raises(signing.SigningKeyUnread):
            signing.named_key(given)
