"""A proof of one entry, and of the log's growth, held against nothing but a key; each alteration is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import audit
from core.audit import entry_proof, growth_proof, proof_file
from core.audit.entry_proof import EntryNotSealed, NoProof
from core.audit.growth_proof import NotOurCheckpoint, OtherHistory
from core.audit.proof_file import NotAProof, ProofVerification
from core.db import Database
from core.errors import NotFound
from core.rules.permissions import Actor, NotPermitted, Role, StepUpRequired
from tests.audit.conftest import MEDIATOR, NOW, Log
from tests.audit.test_tree import without_trees

OFFICER = Actor("staff", 4, frozenset({Role.COMPLIANCE}), authenticated_at=NOW)


def proof_of(log: Log, id: int, actor: Actor = OFFICER) -> entry_proof.EntryProof:
    return entry_proof.prove(log.auditor, id, desk=log.database, actor=actor, now=NOW, folder=log.folder)


def growth_since(log: Log, note: str, actor: Actor = OFFICER) -> growth_proof.GrowthProof:
    return growth_proof.prove(
        log.auditor, note, name="note", desk=log.database, actor=actor, now=NOW, folder=log.folder
    )


def newest(log: Log) -> str:
    return growth_proof.newest(log.auditor, log.folder).note


def verified(log: Log, content: bytes, key: str | None = None, since: str | None = None) -> ProofVerification:
    return proof_file.verify(content, name="file", key=key or log.signer.public.fingerprint, since=since)


def altered(content: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    facts = json.loads(content)
    change(facts)
    return json.dumps(facts).encode()


def found_out(log: Log, content: bytes, **also: Any) -> str:
    """What is said of it: findings, or why it is no proof."""
    try:
        proof = verified(log, content, **also)
    except NotAProof as refusal:
        return refusal.message
    assert not proof.ok, content
    return proof.text()


# One entry ----------------------------------------------------------------------------------------------------------


def test_every_sealed_entry_can_be_proved_and_the_proof_is_small(log: Log) -> None:
    ids = [id for each in log.written(4) for id in each]
    for id in ids:
        proof = proof_of(log, id)
        told = verified(log, proof.content)
        assert told.ok
        assert told.known
        assert told.entry
        assert (told.entry["id"], told.entry["action"]) == (id, "mediator:decision:confirm")
        assert len(proof.content) < 4000


def test_a_proof_says_whose_key_it_is_where_none_was_named(log: Log) -> None:
    proof = proof_of(log, log.written(1)[0][0])
    told = proof_file.verify(proof.content, name="file")
    assert told.ok
    assert not told.known
    assert "with --key" in told.text()
    assert log.signer.public.fingerprint in told.text()


def test_every_column_of_the_entry_and_every_part_of_the_proof_counts(log: Log) -> None:
    content = proof_of(log, log.written(3)[1][1]).content
    entry = json.loads(content)["entry"]
    for column, value in entry.items():
        others: list[Any] = [
            None,
            "x",
            "2031-01-01T00:00:00+00:00",
            99,
            value + 1 if type(value) is int else f"{value}1",
        ]
        for other in others:
            if other != value:
                data = json.loads(content)
                data["entry"][column] = other
                found_out(log, json.dumps(data).encode())
    changes: list[Callable[[dict[str, Any]], Any]] = [
        lambda data: data["entry"].update(note="he confessed"),
        lambda data: data["entry"].pop("reason"),
        lambda data: data.update(index=data["index"] + 1),
        lambda data: data.update(index=10**30),
        lambda data: data["path"].reverse(),
        lambda data: data["path"].pop(),
        lambda data: data["path"].append("00" * 32),
        lambda data: data.update(checkpoint=data["checkpoint"].replace("\n8\n", "\n9\n")),
        lambda data: data.update(ledger="another"),
        lambda data: data.update(signed_by="ab12"),
        lambda data: data.update(also="more"),
        lambda data: data.update(keys=[]),
        lambda data: data.update(path="x"),
        lambda data: data.pop("keys"),
        lambda data: data.update(proof="escrow-desk/entry-proof/2"),
    ]
    for each in changes:
        found_out(log, altered(content, each))
    twice = content.replace(b'"reason":', b'"reason": "other words", "reason":')
    assert "twice" in found_out(log, twice)


def test_an_entry_under_a_foreign_signature_is_found(log: Log, tmp_path: Path) -> None:
    proof = proof_of(log, log.written(1)[0][0])
    thief = audit.signer(tmp_path / "thief").public
    told = verified(log, proof.content, key=thief.fingerprint)
    assert f"and not by {thief.fingerprint}" in told.text()
    assert "another log" in found_out(log, altered(proof.content, lambda data: data.update(ledger="0" * 36)))


def test_what_is_no_proof_is_refused(log: Log) -> None:
    for content in (b"", b"[]", b"{}", b"\xff", b'{"proof": []}', b"[" * 100_000):
        with pytest.raises((NotAProof, TypeError)):
            proof_file.verify(content, name="file")


def test_no_proof_is_made_of_what_is_not_sealed_not_there_or_not_what_was_sealed(log: Log) -> None:
    ids = log.written(2)
    late = log.write()[0]
    with pytest.raises(EntryNotSealed):
        proof_of(log, late)
    with pytest.raises(NotFound):
        proof_of(log, 10**9)
    log.tamper(f"update audit_entries set reason = 'x' where id = {ids[1][0]}")
    for id in ids[1]:
        with pytest.raises(NoProof, match="seal 2"):
            proof_of(log, id)
    proof_of(log, ids[0][0])
    taken = log.ask("select count(*) from audit_entries where action = 'audit:entry:prove'")
    assert taken == 1, "what was not taken is not recorded"


def test_an_entry_of_before_there_was_a_tree_is_proved_by_the_first_checkpoint_that_has_one(log: Log) -> None:
    ids = log.written(3)
    without_trees(log)
    with pytest.raises(EntryNotSealed):
        proof_of(log, ids[1][2])
    log.write()
    log.seal()
    told = verified(log, proof_of(log, ids[1][2]).content)
    assert told.ok
    assert told.size == 16


def test_a_proof_is_for_compliance_with_a_fresh_sign_in_and_stands_in_the_log(log: Log) -> None:
    id = log.written(1)[0][0]
    with pytest.raises(NotPermitted):
        proof_of(log, id, MEDIATOR)
    with pytest.raises(StepUpRequired):
        proof_of(log, id, Actor("staff", 4, OFFICER.roles, authenticated_at=NOW - timedelta(hours=1)))
    proof = proof_of(log, id)
    [row] = log.rows("select * from audit_entries where action = 'audit:entry:prove'")
    assert (row.actor_id, row.object_kind, row.object_id) == (4, "audit_entry", str(id))
    assert row.after == {"sha256": proof.sha256, "seal": 1, "tree_size": 4}


# Growth -------------------------------------------------------------------------------------------------------------


def test_the_growth_since_each_checkpoint_that_was_kept_is_proved(log: Log) -> None:
    notes = []
    for _ in range(6):
        log.written(1)
        notes.append(newest(log))
    for note in notes:
        proof = growth_since(log, note)
        told = verified(log, proof.content, since=note)
        assert told.ok
        assert (told.known, told.size) == (True, 24)
        changes: list[Callable[[dict[str, Any]], Any]] = [
            lambda data: data.update(first=data["second"], second=data["first"]),
            lambda data: data["path"].append("00" * 32),
            lambda data: data.update(second=data["second"].replace("\n24\n", "\n25\n")),
        ]
        for each in changes:
            if note != notes[-1] or each is not changes[0]:
                found_out(log, altered(proof.content, each))
        assert "that you kept" in found_out(log, proof.content, since=note + "x")


def test_a_log_that_was_cut_short_and_continued_cannot_prove_that_it_grew(log: Log) -> None:
    log.written(3)
    kept = newest(log)
    log.tamper("delete from audit_entries where xid >= (select lo from seals where n = 3)")
    log.tamper("delete from journals where xid >= (select lo from seals where n = 3)")
    log.tamper("delete from seals where n = 3")
    log.file.write_bytes(b"".join(log.file.read_bytes().splitlines(keepends=True)[:2]))
    log.write(2)
    log.seal()
    assert log.verify().ok, "with the desk's own key and all of its files, nobody there can tell"
    with pytest.raises(OtherHistory):
        growth_since(log, kept)
    log.write(0)
    log.seal()
    with pytest.raises(OtherHistory):
        growth_since(log, kept)


def test_a_checkpoint_of_nobody_is_refused(log: Log, owner: Database) -> None:
    log.written(1)
    note = newest(log)
    for other in ("", "x", note.replace("\n4\n", "\n3\n"), note.replace("escrow-desk/", "escrow-desk/x")):
        with pytest.raises(NotOurCheckpoint):
            growth_since(log, other)


def test_a_key_that_was_handed_over_is_believed_and_one_that_was_not_is_not(log: Log) -> None:
    old = log.written(1)[0][0]
    kept, first = newest(log), log.signer.public.fingerprint
    audit.rotate(
        log.owner, Actor("operator", None, via="root"), log.home, now=NOW, reason="Once a year, as planned."
    )
    log.signer = audit.signer(log.home)
    new = log.write()[0]
    log.seal()
    second = log.signer.public.fingerprint
    assert second != first
    assert verified(log, proof_of(log, new).content, key=first).known
    assert verified(log, proof_of(log, new).content, key=second).known
    growth = growth_since(log, kept).content
    assert verified(log, growth, key=first, since=kept).known
    assert not verified(log, proof_of(log, old).content, key=second).ok, (
        "a key does not vouch for those before it"
    )
    for name in ("by_previous", "after_hash", "pinned_at"):
        data = json.loads(growth)
        data["keys"][1][name] = "2026-01-01T00:00:00+00:00" if name == "pinned_at" else "00" * 64
        assert "handed" in found_out(log, json.dumps(data).encode(), key=first)
