"""The Merkle tree over the record: checkpoints carry its head, older ones stay good, a wrong head is found."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core import audit
from core.audit import checkpoints, sealing
from core.audit.canonical import ENTRY, JOURNAL, entry_bytes
from core.audit.checkpoints import Checkpoint, line
from core.audit.entry_proof import READ, _facts
from core.audit.merkle import Edge, leaf_hash
from core.audit.pinned_keys import ledger_name
from core.audit.seal_reading import seals_after
from core.audit.tree_heads import Note, key_id, origin, verifier_key
from tests.audit.conftest import NOW, Log


def lines(log: Log) -> list[Checkpoint]:
    return list(checkpoints.read(log.folder, log.file.stem, lambda n: log.signer.public, size=10**9))


def rows_in_order(log: Log) -> list[bytes]:
    """The canonical form of every sealed row, as the database says it, seal by seal."""
    found = []
    for lo, hi in log.rows("select lo::text, hi::text from seals order by n"):
        for kind in (ENTRY, JOURNAL):
            within = f"from {kind.table} r where xid >= '{lo}' and xid < '{hi}' order by xid, id"
            found += [bytes(row[0]) for row in log.rows(f"select {kind.bytes} {within}")]
    return found


def without_trees(log: Log) -> None:
    """The checkpoint file as a version wrote it that knew no tree."""
    with log.auditor.reading() as session:
        ledger, seals = ledger_name(session), seals_after(session, 0)
    log.file.write_bytes(b"".join(line(each, ledger, log.signer, now=NOW) for each in seals))


def signed_again(log: Log, number: int, edge: Edge) -> None:
    """One line with another tree, signed by the desk's own key."""
    with log.auditor.reading() as session:
        seal, ledger = seals_after(session, number - 1)[0], ledger_name(session)
    content = log.file.read_bytes().splitlines(keepends=True)
    content[number - 1] = line(seal, ledger, log.signer, now=NOW, edge=edge)
    log.file.write_bytes(b"".join(content))


def test_each_checkpoint_carries_size_and_root_of_all_rows_up_to_it(log: Log) -> None:
    log.written()
    leaves, size = [leaf_hash(each) for each in rows_in_order(log)], 0
    for each in lines(log):
        assert each.seal
        assert each.head
        size += each.seal.rows
        assert each.head.edge == Edge().after(leaves[:size])
    assert size == len(leaves) == 12


def test_the_note_is_the_checkpoint_of_c2sp(log: Log) -> None:
    log.written(1)
    head, ledger = lines(log)[0].head, log.file.stem
    assert head
    body, _, signature = head.note.partition("\n\n")
    name = f"escrow-desk/{ledger}"
    assert body.split("\n") == [name, "4", base64.b64encode(head.edge.root).decode()]
    begin, said, encoded = signature.rstrip("\n").split(" ")
    raw = base64.b64decode(encoded)
    public = log.signer.public
    assert (begin, said, len(raw)) == ("\u2014", name, 68)
    assert raw[:4] == hashlib.sha256(name.encode() + b"\n\x01" + public.raw).digest()[:4]
    assert public.signed(body.encode() + b"\n", raw[4:])
    assert verifier_key(ledger, public).split("+")[:2] == [origin(ledger), key_id(name, public).hex()]


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("\n4\n", "\n5\n"),
        lambda note: note.replace("\n4\n", "\n04\n"),
        lambda note: note.replace("escrow-desk/", "escrow-desk/x", 1),
        lambda note: note[:-5] + "AAA=\n",
        lambda note: note + "more\n",
        lambda note: note.replace("\n\n", "\n"),
    ],
)
def test_an_altered_note_is_no_note_of_the_desks(log: Log, change: Any) -> None:
    log.written(1)
    head = lines(log)[0].head
    assert head
    assert Note.of(head.note).signed_by(log.signer.public)
    try:
        found = Note.of(change(head.note))
    except ValueError:
        return
    assert not found.signed_by(log.signer.public)


def test_checkpoints_of_before_there_was_a_tree_are_good_and_the_next_one_covers_all(log: Log) -> None:
    log.written(3)
    without_trees(log)
    report = log.verify()
    assert report.ok
    assert report.signed == 3
    log.write()
    log.seal()
    assert [bool(each.head) for each in lines(log)] == [False, False, False, True]
    head = lines(log)[-1].head
    assert head
    assert head.edge == Edge().after(map(leaf_hash, rows_in_order(log)))
    assert log.verify().ok


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_tree_that_is_not_that_of_the_rows_is_found_although_the_desk_signed_it(
    log: Log, number: int
) -> None:
    log.written(3)
    edge = lines(log)[number - 1].head
    assert edge
    signed_again(log, number, Edge(edge.edge.size, (*edge.edge.hashes[:-1], b"x" * 32)))
    found = log.verify()
    assert found.first_bad == audit.Finding("seal", "tree", seal=number)
    assert found.verdict == "altered"


@pytest.mark.parametrize("of", ["head of before", "rubbish", "root"])
def test_a_head_that_disagrees_with_itself_or_is_anothers_is_found(log: Log, of: str) -> None:
    log.written(2)
    content = log.file.read_bytes().splitlines(keepends=True)
    facts, before = json.loads(content[1]), json.loads(content[0])
    match of:
        case "head of before":
            facts["tree"] = before["tree"]
        case "rubbish":
            facts["tree"] = {"note": 7}
        case "root":
            facts["tree"]["edge"] = before["tree"]["edge"]
    log.file.write_bytes(content[0] + json.dumps(facts).encode() + b"\n")
    assert [each.wrong for each in log.verify().findings] == ["forged"]


def test_a_row_that_was_altered_before_it_was_signed_has_no_leaf_and_is_named(log: Log) -> None:
    log.written(1)
    ids = log.write()
    sealing.close(log.database)
    while log.ask("select count(*) from seals") < 2:
        sealing.close(log.database)
    log.tamper(f"update audit_entries set reason = 'x' where id = {ids[1]}")
    log.seal()
    head = lines(log)[1].head
    leaves = [leaf_hash(each) for each in rows_in_order(log)]
    assert head
    assert head.edge == Edge().after([*leaves[:5], leaf_hash(b""), *leaves[6:]])
    report = log.verify()
    assert report.first_bad == audit.Finding("entry", "altered", id=ids[1], seal=2)
    log.write()
    log.seal()
    assert len(log.verify().findings) == 1, "the tree goes on from what was signed"


def test_an_altered_row_does_not_make_the_trees_after_it_wrong_too(log: Log) -> None:
    ids = log.written(3)
    log.tamper(f"update audit_entries set reason = 'x' where id = {ids[0][0]}")
    assert log.verify().findings == (audit.Finding("entry", "altered", id=ids[0][0], seal=1),)


def test_a_last_line_that_the_desk_did_not_sign_is_not_gone_on_from(log: Log) -> None:
    """Whoever can write the checkpoint file could otherwise have the desk sign a tree of their own."""
    log.written(2)
    content = log.file.read_bytes().splitlines(keepends=True)
    facts = json.loads(content[1])
    facts["tree"] = json.loads(content[0])["tree"]
    log.file.write_bytes(content[0] + json.dumps(facts).encode() + b"\n")
    log.write()
    log.seal()
    head = lines(log)[-1].head
    assert head
    assert head.edge == Edge().after(map(leaf_hash, rows_in_order(log)))


WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
JSON = st.dictionaries(WORDS, st.none() | st.booleans() | st.integers(-(10**12), 10**12) | WORDS, max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reason=st.none() | WORDS,
    before=st.none() | JSON,
    ids=st.tuples(*[st.none() | st.integers(1, 2**63 - 1)] * 4),
    micros=st.integers(-(10**15), 10**15),
)
def test_the_canonical_form_can_be_made_without_the_database(
    log: Log, reason: str | None, before: dict[str, Any] | None, ids: tuple[int | None, ...], micros: int
) -> None:
    values = {
        "at": datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros),
        "reason": reason,
        "before": None if before is None else json.dumps(before),
        **dict(zip(("a", "b", "c", "d"), ids, strict=True)),
    }
    with log.database.transaction() as session:
        id = session.execute(
            text(
                "select record_audit(p_at => :at, p_actor_kind => 'system', p_actor_id => null, p_role => null,"
                " p_action => 'a:b:c', p_object_kind => 'x', p_object_id => '1', p_reason => :reason,"
                " p_before => cast(:before as jsonb), p_project_id => :a, p_milestone_id => :b, p_ticket_id => :c,"
                " p_report_id => :d)"
            ),
            values,
        ).scalar_one()
        row = session.execute(READ, {"id": id}).mappings().one()
        wanted = session.execute(
            text(f"select {ENTRY.bytes} from audit_entries r where id = :id"), {"id": id}
        ).scalar_one()
    facts = json.loads(json.dumps(_facts({name: each for name, each in row.items() if name != "seal"})))
    assert entry_bytes(facts) == bytes(wanted)
