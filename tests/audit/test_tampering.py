"""Whatever is done to the record by SQL with every trigger switched off is found, and its place is named."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from core import audit
from core.audit.canonical import KINDS
from core.audit.checkpoints import line
from core.audit.pinned_keys import ledger_name
from core.audit.seal_reading import seals_after
from core.audit.seals import Seal, first_prev
from tests.audit.conftest import NOW, Log

SEALED_ROWS = 3 + 1  # of each transaction: entries, and a journal
ANOTHER = {
    "bigint": "coalesce({0}, 0) + 1",
    "text": "coalesce({0}, '') || 'x'",
    "jsonb": "coalesce({0}, '{{}}') || '{{\"x\": 1}}'",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
    "ARRAY": "{0} || {0}[1]",
    "bytea": "coalesce({0}, '') || '\\x01'",
}


def columns(log: Log, table: str) -> list[tuple[str, str]]:
    query = (
        "select column_name::text, data_type::text from information_schema.columns where table_name = :table"
    )
    with log.owner.reading() as session:
        return [
            (name, kind)
            for name, kind in session.execute(text(query), {"table": table})
            if kind not in ("xid8", "uuid")  # a salt is not sealed: another one makes the row another
        ]


def without_checks(log: Log, table: str) -> None:
    query = "select conname from pg_constraint where contype = 'c' and conrelid = cast(:table as regclass)"
    for (name,) in log.rows(query, table=table):
        log.tamper(f"alter table {table} drop constraint {name}")


def test_an_untouched_record_is_proved(log: Log) -> None:
    log.written()
    log.write()
    report = log.verify()
    assert report.ok
    assert (report.rows, report.seals, report.signed, report.unsigned) == (SEALED_ROWS * 3, 3, 3, 0)
    assert report.open_rows == SEALED_ROWS
    assert report.text.startswith("All ")


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_any_column_is_found_and_named(log: Log, kind: str) -> None:
    log.changes = kind == "change"
    log.written()
    table = KINDS[kind].table.removeprefix("public.")
    without_checks(log, table)
    victim = log.ask(f"select id from {table} order by id offset (select count(*) / 2 from {table}) limit 1")
    for name, data_type in columns(log, table):
        if name == "id":
            continue
        change = ANOTHER[data_type].format(name)
        with log.owner.transaction() as session:
            session.execute(text("set local session_replication_role = replica"))
            before = session.execute(text(f"select {name} from {table} where id = {victim}")).scalar()
            session.execute(text(f"update {table} set {name} = {change} where id = {victim}"))
        found = log.verify().first_bad
        assert found is not None, f"{table}.{name} can be changed unseen"
        assert (found.kind, found.id, found.wrong) == (kind, victim, "altered"), name
        undo = "cast(:before as jsonb)" if data_type == "jsonb" else ":before"
        value = json.dumps(before) if data_type == "jsonb" and before is not None else before
        log.tamper(f"update {table} set {name} = {undo} where id = {victim}", before=value)
        assert log.verify().ok, f"{table}.{name} was not restored"


@pytest.mark.parametrize("kind", KINDS)
def test_another_id_or_transaction_is_found(log: Log, kind: str) -> None:
    log.changes = kind == "change"
    log.written()
    table = KINDS[kind].table
    first = log.ask(f"select min(id) from {table}")
    log.tamper(f"alter table {table} alter id drop identity")
    log.tamper(f"update {table} set id = 5000 where id = {first}")
    found = log.verify()
    assert {(one.wrong, one.id) for one in found.findings} >= {("removed", first), ("inserted", 5000)}
    log.tamper(f"update {table} set id = {first} where id = 5000")
    log.tamper(f"update {table} set xid = (select max(hi) from seals) where id = {first}")
    found = log.verify()
    assert found.first_bad == audit.Finding(kind, "moved", id=first, seal=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_removed_row_is_named(log: Log, kind: str) -> None:
    log.changes = kind == "change"
    log.written()
    table = KINDS[kind].table
    middle = log.ask(f"select id from {table} order by id offset (select count(*) / 2 from {table}) limit 1")
    log.tamper(f"delete from {table} where id = {middle}")
    report = log.verify()
    assert report.findings[0] == audit.Finding(kind, "removed", id=middle, seal=2)
    assert {finding.kind for finding in report.findings[1:]} <= {"row"}  # whose change this was
    assert f"{middle} was removed" in report.text


def test_an_inserted_entry_is_named(log: Log) -> None:
    ids = log.written()
    names = "at, actor_kind, actor_id, role, action, object_kind, object_id, reason, recorded_at, xid"
    log.tamper(
        f"insert into audit_entries (id, {names}) overriding system value"
        f" select 777, {names} from audit_entries where id = {ids[1][0]}"
    )
    assert log.verify().findings == (audit.Finding("entry", "inserted", id=777, seal=2),)


def test_two_entries_that_change_places_are_named(log: Log) -> None:
    (a, b, _), *_ = log.written()
    log.tamper("alter table audit_entries alter id drop identity")
    log.tamper(f"update audit_entries set id = case id when {a} then -1 else {a} end where id in ({a}, {b})")
    log.tamper(f"update audit_entries set id = {b} where id = -1")
    assert [(one.wrong, one.id) for one in log.verify().findings] == [("altered", a), ("altered", b)]


def test_a_truncated_table_is_found_from_its_first_entry(log: Log) -> None:
    ids = log.written()
    log.tamper("truncate audit_entries")
    report = log.verify()
    assert report.first_bad == audit.Finding("entry", "removed", id=ids[0][0], seal=1)
    assert len(report.findings) == 9


def test_removed_seals_are_found_through_the_checkpoints(log: Log) -> None:
    log.written()
    log.tamper("delete from seals where n >= 2")
    assert [(one.wrong, one.seal) for one in log.verify().findings] == [
        ("seal_removed", 2),
        ("seal_removed", 3),
    ]


def test_rows_removed_together_with_their_seals_are_named(log: Log) -> None:
    ids = log.written()
    log.tamper("delete from audit_entries where xid >= (select lo from seals where n = 3)")
    log.tamper("delete from seals where n = 3")
    report = log.verify()
    assert report.first_bad_row == audit.Finding("entry", "removed", id=ids[2][0], seal=3)


def test_everything_truncated_is_found(log: Log) -> None:
    log.written()
    for table in ("journals", "audit_entries", "seals"):
        log.tamper(f"truncate {table} cascade")
    report = log.verify()
    assert report.first_bad is not None
    assert {one.seal for one in report.findings if one.kind == "seal"} == {1, 2, 3}


def rehash(log: Log) -> None:
    """What an attacker who knows the scheme does: seal everything again, with every hash right, but without the key."""
    with log.owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        ends = session.execute(text("select lo::text, hi::text from seals order by n")).all()
        session.execute(text("delete from seals"))
        era = "(select e from seal_epochs e order by epoch desc limit 1)"
        for lo, hi in ends:
            session.execute(text(f"select seal_batch({era}, '{lo}', '{hi}')"))


def test_a_history_sealed_again_without_the_key_is_found_and_the_entry_named(log: Log) -> None:
    ids = log.written()
    log.tamper(f"update audit_entries set reason = 'never happened' where id = {ids[1][1]}")
    rehash(log)
    report = log.verify()
    assert report.first_bad_row == audit.Finding("entry", "altered", id=ids[1][1], seal=2)
    assert {one.seal for one in report.findings if one.wrong == "rewritten"} == {1, 2, 3}


def test_the_sealer_does_not_sign_on_top_of_a_rewritten_history(log: Log) -> None:
    ids = log.written()
    log.tamper(f"update audit_entries set reason = 'never happened' where id = {ids[1][1]}")
    rehash(log)
    log.write()
    lines = log.file.read_bytes()
    with pytest.raises(audit.CheckpointsDisagree):
        audit.seal(log.database, log.signer, log.folder, now=NOW)
    assert log.file.read_bytes() == lines


def test_a_changed_list_of_leaves_does_not_hide_a_change(log: Log) -> None:
    ids = log.written()
    log.tamper(f"update audit_entries set reason = 'x' where id = {ids[0][0]}")
    log.tamper("update seals set leaves = overlay(leaves placing '\\x0102030405060708' from 9) where n = 1")
    report = log.verify()
    assert report.first_bad_row == audit.Finding("entry", "altered", id=ids[0][0], seal=1)
    log.file.unlink()
    assert {one.wrong for one in log.verify().findings} >= {"no_checkpoints", "broken"}


def test_an_entry_of_a_transaction_yet_to_come_is_found(log: Log) -> None:
    ids = log.written()
    log.tamper(f"update audit_entries set xid = '999999999' where id = {ids[2][0]}")
    assert ("never", ids[2][0]) in {(one.wrong, one.id) for one in log.verify().findings}


@pytest.mark.parametrize(
    "statement",
    [
        "insert into seal_epochs select 2, ledger, 1, 1, 0, now() from seal_epochs",
        "update seal_epochs set entries_after = 2",
        "delete from seal_epochs where epoch = 1 and false; update seal_epochs set ledger = gen_random_uuid()",
    ],
)
def test_an_altered_list_of_epochs_is_found(log: Log, statement: str) -> None:
    log.written()
    for part in statement.split("; "):
        log.tamper(part)
    assert not log.verify().ok


# The checkpoint file and its key ------------------------------------------------------------------------------------


def change(path: Path, line: int, edit: Callable[[dict[str, object]], None]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    facts = json.loads(lines[line])
    edit(facts)
    lines[line] = json.dumps(facts).encode() + b"\n"
    path.write_bytes(b"".join(lines))


def test_a_forged_checkpoint_is_found(log: Log) -> None:
    log.written()
    change(log.file, 1, lambda facts: facts.update(root="00" * 32))
    report = log.verify()
    assert report.first_bad is not None
    assert (report.first_bad.wrong, report.first_bad.id) == ("forged", 2)
    assert "signature" in report.text


def test_a_checkpoint_signed_with_another_key_is_found(log: Log, tmp_path: Path) -> None:
    log.written(1)
    other = audit.signer(tmp_path / "thief")
    with log.auditor.reading() as session:
        seal, ledger = seals_after(session, 0)[0], ledger_name(session)
    log.file.write_bytes(line(seal, ledger, other, now=seal.sealed_at))
    report = log.verify()
    assert [one.wrong for one in report.findings] == ["forged"]
    assert (other.public.fingerprint in report.text, log.signer.public.fingerprint in report.text) == (
        True,
        True,
    )
    assert not log.verify(trust=audit.Trust(other.public.fingerprint, "named")).ok


def test_a_changed_public_key_does_not_deceive_who_keeps_a_copy(log: Log, tmp_path: Path) -> None:
    log.written(1)
    mine = log.signer.public
    audit.signer(tmp_path / "thief").public.write(log.folder / "checkpoints.pub")
    report = log.verify(trust=audit.Trust(mine.fingerprint, "named"))
    assert [one.wrong for one in report.findings] == ["beside"]
    assert mine.fingerprint in report.text


def test_lost_checkpoints_are_reported_and_the_rows_are_checked_all_the_same(log: Log) -> None:
    ids = log.written()
    log.tamper(f"update audit_entries set reason = 'x' where id = {ids[1][2]}")
    log.file.unlink()
    report = log.verify()
    assert report.first_bad is not None
    assert report.first_bad.wrong == "no_checkpoints"
    assert report.first_bad_row == audit.Finding("entry", "altered", id=ids[1][2], seal=2)
    assert report.unsigned == 3


def test_the_public_key_beside_the_checkpoints_is_a_convenience_and_not_needed(log: Log) -> None:
    log.written()
    (log.folder / "checkpoints.pub").unlink()
    assert log.verify().ok
    (log.folder / "checkpoints.pub").write_text("no key")
    assert [one.wrong for one in log.verify().findings] == ["beside"]


def test_a_missing_line_is_found(log: Log) -> None:
    log.written()
    lines = log.file.read_bytes().splitlines(keepends=True)
    log.file.write_bytes(lines[0] + lines[2])
    assert [(one.wrong, one.seal) for one in log.verify().findings] == [("unsigned", 2)]


def test_lines_in_another_order_are_found(log: Log) -> None:
    log.written()
    lines = log.file.read_bytes().splitlines(keepends=True)
    log.file.write_bytes(lines[1] + lines[0] + lines[2])
    assert not log.verify().ok


def test_a_line_that_was_being_written_does_not_count(log: Log) -> None:
    log.written()
    content = log.file.read_bytes()
    log.file.write_bytes(content[:-20])
    report = log.verify()
    assert report.ok
    assert report.unsigned == 1
    log.write()
    log.seal()
    assert log.verify().unsigned == 0
    assert log.file.read_bytes().startswith(content)


def test_rubbish_in_the_file_is_reported(log: Log) -> None:
    log.written()
    rubbish = (b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\xfe\n", base64.b64encode(b"x" * 99) + b"\n")
    content = log.file.read_bytes()
    for one in rubbish:
        log.file.write_bytes(content + one)
        assert [found.wrong for found in log.verify().findings] == ["forged"]


def test_the_hash_of_a_seal_covers_all_of_it(log: Log) -> None:
    log.written(1)
    with log.auditor.reading() as session:
        seal, ledger = seals_after(session, 0)[0], ledger_name(session)
    assert seal.prev == first_prev(ledger)
    assert seal.hash == seal.rehash()
    facts = seal.facts()
    assert Seal.of(json.loads(json.dumps(facts))) == seal
    for name in facts.keys() - {"hash"}:
        value = getattr(seal, name)
        match value:
            case int():
                other: object = value + 1
            case bytes():
                other = value + b"0"
            case _:
                other = value.replace(year=2000)
        assert replace(seal, **{name: other}).rehash() != seal.hash, name
