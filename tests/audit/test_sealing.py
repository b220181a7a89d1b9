"""Sealing: two at once, crashes between, late commits, restored copies, and keys that only the desk can read."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import audit
from core.audit import checkpoints, sealing
from core.db import Database
from core.queries import audit as queries
from tests.audit.conftest import MEDIATOR, NOW, Log, refused
from tests.recorded import recorded

LINES = st.binary(max_size=40).map(lambda content: content.replace(b"\n", b""))


def test_nothing_to_seal_makes_no_seal(log: Log) -> None:
    assert audit.seal(log.database, log.signer, log.folder, now=NOW) == audit.Sealed(0, 0, 0)
    log.written(1)
    for _ in range(3):
        assert audit.seal(log.database, log.signer, log.folder, now=NOW).signed == 0
    assert log.ask("select count(*) from seals") == 1


def test_an_entry_tells_its_seal_and_the_open_ones_are_counted(log: Log) -> None:
    ids = log.written(2)
    late = log.write()
    with log.auditor.reading() as session:
        assert [queries.entry(session, id).seal for id in (ids[0][0], ids[1][0], late[0])] == [1, 2, None]
        state = queries.seal_state(session)
    assert (state.last, state.open) == (2, 3)


def test_a_transaction_that_stays_open_only_delays_the_seal(log: Log) -> None:
    with log.database.transaction() as slow:
        early = recorded(slow, MEDIATOR, "a:b:c", object_kind="m", object_id=1, now=NOW)
        late = log.write()
        audit.seal(log.database, log.signer, log.folder, now=NOW)
        assert log.verify().open_rows >= 3, "rows behind an open transaction are not sealed"
    log.seal()
    report = log.verify()
    assert report.ok
    assert report.open_rows == 0
    assert early < late[0]


def test_a_seal_in_a_long_transaction_leaves_the_rows_of_that_transaction_open(log: Log) -> None:
    with log.database.transaction() as session:
        audit.record(session, MEDIATOR, "a:b:c", object_kind="m", object_id=1, now=NOW)
        assert session.execute(text("select seal_range()")).scalar() is None


def test_writers_and_two_sealers_at_once_leave_a_record_that_proves(log: Log) -> None:
    stop = threading.Event()

    def sealing_on() -> None:
        while not stop.is_set():
            audit.seal(log.database, log.signer, log.folder, now=NOW)

    with ThreadPoolExecutor(6) as pool:
        sealers = [pool.submit(sealing_on) for _ in range(2)]
        writers = [pool.submit(lambda: [log.write(2) for _ in range(25)]) for _ in range(4)]
        for writer in writers:
            writer.result()
        stop.set()
        for sealer in sealers:
            sealer.result()
    log.seal()
    report = log.verify()
    assert report.ok, report.text
    assert (report.open_rows, report.unsigned) == (0, 0)
    assert log.ask("select count(*) from audit_entries") == 200
    lines = checkpoints.read(log.folder, log.file.stem, lambda n: log.signer.public, size=10**9)
    assert [one.seal.n for one in lines if one.seal] == list(range(1, report.seals + 1))


def test_many_rows_go_under_several_seals(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ROWS_A_SEAL", 10)
    for _ in range(12):
        log.write()
    log.seal()
    report = log.verify()
    assert report.ok
    assert report.seals >= 4
    assert log.ask("select max(entries + journals) from seals") <= 10 + 6


# Crashes ------------------------------------------------------------------------------------------------------------


def test_a_crash_before_the_checkpoint_is_made_good_by_the_next_run(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.written(2)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    log.write()
    with monkeypatch.context() as broken:
        broken.setattr(checkpoints, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            log.seal()
    report = log.verify()
    assert report.ok
    assert report.unsigned == 1
    assert "1 seal is not signed yet" in report.text
    assert audit.seal(log.database, log.signer, log.folder, now=NOW).signed == 1
    assert log.verify().unsigned == 0


def test_a_crash_before_the_very_first_checkpoint_is_made_good_too(log: Log) -> None:
    log.write()
    while not log.ask("select count(*) from seals"):
        with log.database.transaction() as session:
            session.execute(text("select seal_range()"))
    assert audit.seal(log.database, log.signer, log.folder, now=NOW).signed == 1


def test_a_lost_checkpoint_file_is_not_made_anew_unless_somebody_says_so(log: Log) -> None:
    log.written(3)
    log.file.unlink()
    log.write()
    while log.ask("select count(*) from seals") < 4:  # the database is sealed all the same
        with pytest.raises(audit.CheckpointsMissing):
            audit.seal(log.database, log.signer, log.folder, now=NOW)
    assert not log.folder.exists() or not list(log.folder.glob("*.jsonl"))
    log.seal(adopt=True)
    assert log.verify().ok


def test_a_file_of_another_database_is_not_continued(log: Log) -> None:
    log.written(2)
    log.tamper("update seal_epochs set ledger = gen_random_uuid()")
    with pytest.raises(audit.CheckpointsMissing):
        log.seal()


# Restored copies ------------------------------------------------------------------------------------------------------


def restored(log: Log) -> None:
    """What a dump restored into a cluster whose transaction numbers are elsewhere looks like."""
    log.tamper("update seal_epochs set system_identifier = 4711")


def test_a_restored_copy_takes_no_entry_before_a_new_epoch_is_open(log: Log) -> None:
    log.written(1)
    restored(log)
    assert "restored from a dump" in refused(
        log.database, "select record_audit(now(), 'system', null, null, 'a:b:c', 'm', '1')"
    )
    log.seal()
    log.write()


def test_a_restored_copy_takes_no_row_before_a_new_epoch_is_open(log: Log) -> None:
    """Also on a connection that was refused before: the answer is kept for a connection only where it was yes."""
    log.written(1)
    known = "insert into settlement_currencies (currency, settles, known_from, at) values ('{}', true, 'STRIPE', now())"
    with log.owner.transaction() as session:
        session.execute(text(known.format("EUR")))
    restored(log)
    copy = Database(log.owner.url.render_as_string(hide_password=False))  # it has connections of its own
    change, remove = "update settlement_currencies set settles = false", "delete from settlement_currencies"
    with copy.engine.connect() as connection:
        for statement in 8 * (known.format("USD"), change, remove):  # until the plans are kept
            with pytest.raises(DBAPIError, match="restored from a dump"):
                connection.execute(text(statement))
            connection.rollback()
        log.seal()
        for statement in (known.format("USD"), change, remove):
            connection.execute(text(statement))
        connection.commit()
    copy.dispose()


def test_a_new_epoch_closes_the_old_one_and_counts_anew(log: Log) -> None:
    ids = log.written(2)
    left = log.write()
    restored(log)
    log.seal()
    assert log.verify().ok, "nothing is sealed in the new epoch yet"
    log.write()
    log.seal()
    report = log.verify()
    assert report.ok, report.text
    assert log.ask("select max(epoch) from seals") >= 1
    for victim, seal in ((ids[0][0], 1), (ids[1][2], 2), (left[1], 3)):
        log.tamper(f"update audit_entries set report_id = 1 where id = {victim}")
        assert log.verify().first_bad == audit.Finding("entry", "altered", id=victim, seal=seal)
        log.tamper(f"update audit_entries set report_id = null where id = {victim}")
    assert log.verify().ok


def test_an_entry_slipped_into_a_closed_epoch_is_found(log: Log) -> None:
    log.written(2)
    restored(log)
    log.seal()
    log.write()
    log.seal()
    names = "at, actor_kind, actor_id, action, object_kind, object_id, recorded_at"
    for id, xid in ((-5, "1"), (-6, "99999999"), (-7, str(2**64 - 1))):
        log.tamper(
            f"insert into audit_entries (id, xid, {names}) overriding system value"
            f" select {id}, '{xid}', {names} from audit_entries order by id limit 1"
        )
        report = log.verify()
        assert not report.ok, f"{id} with {xid} stays unseen"
        log.tamper(f"delete from audit_entries where id = {id}")


# Keys ---------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    made = audit.signer(tmp_path)
    file = tmp_path / "keys" / "checkpoints.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert audit.signer(tmp_path).public.raw == made.public.raw
    file.chmod(0o644)
    with pytest.raises(audit.KeyTooOpen):
        audit.signer(tmp_path)


def test_many_that_come_first_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = [made.public.raw for made in pool.map(lambda _: audit.signer(tmp_path), range(16))]
    assert len(set(keys)) == 1


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    audit.signer(tmp_path)
    file = tmp_path / "keys" / "checkpoints.pem"
    for content in (b"", b"-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n"):
        file.write_bytes(content)
        with pytest.raises(audit.KeyUnusable):
            audit.signer(tmp_path)
    public = tmp_path / "checkpoints.pub"
    assert audit.PublicKey.read(public) is None
    public.write_bytes(b"no")
    with pytest.raises(audit.KeyUnusable):
        audit.PublicKey.read(public)


# The file -----------------------------------------------------------------------------------------------------------


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.binary(max_size=40).map(lambda one: one.replace(b"\n", b"")), max_size=6),
    cut=st.integers(0, 60),
)
def test_after_a_crash_anywhere_the_file_goes_on_with_whole_lines(
    tmp_path: Path, lines: list[bytes], cut: int
) -> None:
    content = b"".join(one + b"\n" for one in lines)
    kept = content[: max(0, len(content) - cut)]
    file = checkpoints.file_of(tmp_path, "x")
    file.write_bytes(kept)
    checkpoints.append(tmp_path, "x", [b"next\n"])
    whole = kept[: kept.rfind(b"\n") + 1]
    assert file.read_bytes() == whole + b"next\n"


def test_verification_tells_how_far_it_is(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.audit.sealed_rows.SEALS_AT_ONCE", 1)
    log.written(3)
    seen: list[tuple[int, int]] = []
    log.verify(progress=lambda done, total: seen.append((done, total)))
    rows = log.verify().rows
    assert seen == [(rows // 3, rows), (rows // 3 * 2, rows), (rows, rows)]


@pytest.mark.parametrize("at_once", [1, 2, 1_000])
def test_rows_are_hashed_the_same_however_many_come_at_once(
    log: Log, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("core.audit.sealed_rows.PIECE", at_once)
    monkeypatch.setattr("core.audit.sealed_rows.SENT_AT_ONCE", at_once)
    altered = log.written(3)[1][1]
    assert log.verify().ok
    log.tamper("update audit_entries set reason = 'another' where id = :id", id=altered)
    found = [(each.wrong, each.id, each.seal) for each in log.verify().findings]
    assert ("altered", altered, 2) in found
    assert {seal for _, _, seal in found if seal} == {2}


def test_verification_changes_nothing_and_needs_no_more_than_reading(log: Log, auditor: Database) -> None:
    log.written(1)
    assert "permission denied" in refused(auditor, "delete from audit_entries")
    assert audit.verify(auditor, log.folder).ok
