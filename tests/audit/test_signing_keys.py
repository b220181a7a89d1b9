"""Which key signs is pinned, known to whoever verifies, and changed by a deliberate act only."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import audit
from core.audit import checkpoints, keys
from core.audit.known_keys import known, remember
from core.audit.pinned_keys import SignedAlready, ledger_name, statement
from core.audit.rotation import KeyNotLost, NoKeyYet
from core.audit.seal_reading import seals_after
from core.audit.seals import first_prev
from core.errors import ReasonMissing
from core.rules.permissions import Actor, NotPermitted, Role
from tests.audit.conftest import NOW, Log, refused
from tests.audit.test_tampering import rehash
from tests.parties import OPERATOR


def fingerprint(log: Log) -> str:
    return log.signer.public.fingerprint


def trusting(key: str, how: str = "known") -> audit.Trust:
    return audit.Trust(key, how, "2026-03-02")  # type: ignore[arg-type]


def rotated(log: Log, *, lost: bool = False) -> None:
    audit.rotate(log.owner, OPERATOR, log.home, now=NOW, reason="on leaving", lost=lost)
    log.signer = audit.signer(log.home)


def test_the_report_says_by_which_key_and_what_that_key_is(log: Log) -> None:
    log.written()
    key = fingerprint(log)
    assert f"by the signatures of key {key}, pinned in this database since 2026-03-02" in log.verify().text
    assert "for the first time: compare it" in log.verify().text
    for how, words in {
        "named": "is the key you named",
        "known": "known since 2026",
        "own": "own home",
    }.items():
        report = log.verify(trust=trusting(key, how))
        assert report.ok
        assert words in report.text
    assert log.verify(trust=trusting(key)).facts()["key"] == key


def test_nothing_is_as_it_was_written_where_nothing_is_sealed(log: Log) -> None:
    log.write()
    assert log.verify().text.startswith("Nothing is sealed yet, so nothing is proved.")


def test_everything_signed_again_with_another_key_is_found_by_whoever_knows_the_desks(
    log: Log, tmp_path: Path
) -> None:
    """The whole attack: rows, seals, pin, checkpoints and public key, all anew and all fitting."""
    ids = log.written()
    mine, thief = fingerprint(log), audit.signer(tmp_path / "thief")
    log.tamper(f"update audit_entries set reason = 'never happened' where id = {ids[1][1]}")
    rehash(log)
    with log.auditor.reading() as session:
        ledger, seals = ledger_name(session), seals_after(session, 0)
    said = statement(ledger, 1, thief.public, NOW, 0, first_prev(ledger))
    log.tamper(
        "update signing_keys set public_key = :key, by_itself = :signature, pinned_at = :at",
        key=thief.public.raw,
        signature=thief.sign(said),
        at=NOW,
    )
    log.file.write_bytes(b"".join(checkpoints.line(each, ledger, thief, now=NOW) for each in seals))
    thief.public.write(log.folder / "checkpoints.pub")
    assert log.verify().ok, "with nothing to compare it with, it cannot be found"
    assert "compare it" in log.verify().text, "and so it is not said to be proved"
    for how in ("named", "known", "own"):
        report = log.verify(trust=trusting(mine, how))
        assert report.first_bad is not None
        assert report.first_bad.wrong == "other_key"
        assert mine in report.text
        assert thief.public.fingerprint in report.text


def test_checkpoints_of_another_key_are_found_through_the_pin_alone(log: Log, tmp_path: Path) -> None:
    log.written()
    thief = audit.signer(tmp_path / "thief")
    with log.auditor.reading() as session:
        ledger, seals = ledger_name(session), seals_after(session, 0)
    log.file.write_bytes(b"".join(checkpoints.line(each, ledger, thief, now=NOW) for each in seals))
    thief.public.write(log.folder / "checkpoints.pub")
    report = log.verify()
    assert {one.wrong for one in report.findings} == {"beside", "forged"}
    assert fingerprint(log) in report.text
    assert thief.public.fingerprint in report.text


def test_a_removed_pin_is_found(log: Log) -> None:
    log.written()
    log.tamper("delete from signing_keys")
    report = log.verify(trust=trusting(fingerprint(log)))
    assert report.first_bad is not None
    assert report.first_bad.wrong == "not_pinned"
    assert fingerprint(log) in report.text


def test_the_application_pins_the_first_key_and_changes_none(log: Log) -> None:
    log.written(1)
    for statement_ in (
        "insert into signing_keys select 2, public_key, now(), 0, '', by_itself, null from signing_keys",
        "update signing_keys set pinned_at = now()",
        "delete from signing_keys",
        "truncate signing_keys",
    ):
        assert "permission denied" in refused(log.database, statement_)
    for statement_ in ("update signing_keys set pinned_at = now()", "delete from signing_keys"):
        assert "only grows" in refused(log.owner, statement_)
    skips = (
        "insert into signing_keys select 7, sha256('x'), now(), 0, '', by_itself, by_itself from signing_keys"
    )
    assert "does not follow" in refused(log.owner, skips)
    second = "select pin_first_signing_key(sha256('x'), now(), '', decode(repeat('00', 64), 'hex'))"
    with log.database.transaction() as session:
        assert bytes(session.scalar(text(second)) or b"") == log.signer.public.raw


def test_nobody_signs_with_a_key_that_is_not_pinned(log: Log, tmp_path: Path) -> None:
    log.written(1)
    log.write()
    while log.ask("select count(*) from seals") < 2:  # the database seals all the same
        with pytest.raises(audit.KeyNotPinned) as caught:
            audit.seal(log.database, audit.signer(tmp_path / "other"), log.folder, now=NOW)
    assert fingerprint(log) in caught.value.message
    assert len(log.file.read_bytes().splitlines()) == 1


def test_a_lost_key_is_never_made_anew_in_silence(log: Log) -> None:
    log.written(1)
    path = keys.path_of(log.home)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(audit.SigningKeyMissing) as caught:
        audit.desk_signer(log.database, log.home, now=NOW)
    assert fingerprint(log) in caught.value.message
    assert not path.exists()
    keys.signer(log.home)  # somebody makes another by hand
    with pytest.raises(audit.SigningKeyOther) as other:
        audit.desk_signer(log.database, log.home, now=NOW)
    assert fingerprint(log) in other.value.message
    path.with_suffix(".away").rename(path)
    assert audit.desk_signer(log.database, log.home, now=NOW).public.raw == log.signer.public.raw


def test_a_desk_that_signed_before_keys_were_pinned_keeps_its_key(log: Log) -> None:
    log.written(1)
    log.tamper("delete from signing_keys")
    path = keys.path_of(log.home)
    away = path.rename(path.with_suffix(".away"))
    with pytest.raises(SignedAlready):
        audit.desk_signer(log.database, log.home, now=NOW)
    away.rename(path)
    audit.desk_signer(log.database, log.home, now=NOW)
    assert log.verify(trust=trusting(fingerprint(log))).ok


def test_a_key_that_is_handed_over_is_believed_by_who_knew_the_one_before(log: Log) -> None:
    log.written()
    old = fingerprint(log)
    rotated(log)
    log.written()
    new = fingerprint(log)
    assert old != new
    report = log.verify(trust=trusting(old))
    assert report.ok, report.text
    assert f"handed on by the key {old}" in report.text
    assert log.verify(trust=trusting(new)).ok
    entry = log.rows("select action, reason, role from audit_entries where object_kind = 'signing_key'")
    assert entry == [("operator:signing_key:rotate", "on leaving", OPERATOR.via)]
    retired = [each.name for each in (log.home / "keys").iterdir() if "retired" in each.name]
    assert len(retired) == 1
    assert keys.PublicKey.read(log.folder / "checkpoints.pub") == log.signer.public


def test_a_key_in_place_of_a_lost_one_is_not_believed_until_somebody_says_so(log: Log) -> None:
    log.written()
    old = fingerprint(log)
    with pytest.raises(KeyNotLost):
        rotated(log, lost=True)
    keys.path_of(log.home).unlink()
    with pytest.raises(audit.SigningKeyMissing):
        rotated(log)
    rotated(log, lost=True)
    log.written()
    report = log.verify(trust=trusting(old))
    assert [one.wrong for one in report.findings] == ["not_handed_over"]
    assert old in report.text
    assert fingerprint(log) in report.text
    assert log.verify(trust=trusting(fingerprint(log))).ok


def test_a_handing_over_that_the_old_key_did_not_sign_is_found(log: Log, tmp_path: Path) -> None:
    log.written()
    old, thief = fingerprint(log), audit.signer(tmp_path / "thief")
    with log.auditor.reading() as session:
        ledger, last = ledger_name(session), seals_after(session, 0)[-1]
    said = statement(ledger, 2, thief.public, NOW, last.n, last.hash)
    values = {"key": thief.public.raw, "at": NOW, "n": last.n, "hash": last.hash, "own": thief.sign(said)}
    for before in (None, thief.sign(said)):
        log.tamper("delete from signing_keys where n = 2")
        log.tamper(
            "insert into signing_keys values (2, :key, :at, :n, :hash, :own, :before)",
            **values,
            before=before,
        )
        assert "not_handed_over" in {one.wrong for one in log.verify(trust=trusting(old)).findings}
    assert "vouch" not in {one.wrong for one in log.verify().findings}
    log.tamper("update signing_keys set after_hash = sha256('x') where n = 2")
    assert {"pin_forged", "vouch"} <= {one.wrong for one in log.verify().findings}


def test_a_rotation_that_was_interrupted_is_finished(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.written(1)
    with monkeypatch.context() as patched:
        patched.setattr(keys, "finish_rotation", lambda home, pinned: None)
        audit.rotate(log.owner, OPERATOR, log.home, now=NOW, reason="x")
    with log.auditor.reading() as session:
        pinned = audit.pins(session)[-1]
    assert audit.desk_signer(log.database, log.home, now=NOW).public.raw == pinned.public.raw


def test_only_who_may_rotates_a_key_and_with_a_reason(log: Log) -> None:
    with pytest.raises(NoKeyYet):
        rotated(log)
    log.written(1)
    finance = Actor("staff", 3, frozenset({Role.FINANCE}))
    with pytest.raises(NotPermitted):
        audit.rotate(log.owner, finance, log.home, now=NOW, reason="x")
    with pytest.raises(ReasonMissing):
        audit.rotate(log.owner, OPERATOR, log.home, now=NOW, reason=" ")
    with pytest.raises(DBAPIError, match="permission denied"):
        audit.rotate(log.database, OPERATOR, log.home, now=NOW, reason="x")
    assert audit.signer(log.home).public.raw == log.signer.public.raw


# The last open second ------------------------------------------------------------------------------------------------


def test_a_row_that_no_seal_covers_for_minutes_is_a_finding(log: Log) -> None:
    (old, *_), _ = log.written(1)[0], log.write(1)
    late = log.ask("select max(id) from audit_entries")
    log.tamper(f"update audit_entries set recorded_at = now() - interval '119 seconds' where id = {late}")
    assert log.verify().ok
    log.tamper(f"update audit_entries set recorded_at = now() - interval '121 seconds' where id = {late}")
    report = log.verify()
    assert [(one.kind, one.wrong, one.id) for one in report.findings] == [("entry", "overdue", late)]
    log.tamper(f"update audit_entries set recorded_at = now() + interval '1 hour' where id = {late}")
    assert [(one.wrong, one.id) for one in log.verify().findings] == [("future", late)]
    assert old != late


def test_an_edited_epoch_does_not_hide_a_row_of_a_transaction_to_come(log: Log) -> None:
    log.written(1)
    (late,) = log.write(1)
    log.tamper(f"update audit_entries set xid = '999999999' where id = {late}")
    log.tamper("update seal_epochs set system_identifier = 4711")
    report = log.verify()
    assert [one.wrong for one in report.findings] == ["elsewhere"]
    assert "proved by nothing" in report.text


def test_seals_that_nobody_signs_are_a_finding(log: Log) -> None:
    """A checkpoint file that was cut short looks like one that was not written on."""
    log.written(1)
    content = log.file.read_bytes()
    log.written(1)
    log.file.write_bytes(content)
    report = log.verify()
    assert (report.ok, report.unsigned) == (True, 1)
    log.tamper("alter table seals disable trigger all")
    log.tamper("update seals set sealed_at = sealed_at - interval '10 minutes' where n = 2")
    assert ("seal", "not_signed", 2) in [(one.kind, one.wrong, one.seal) for one in log.verify().findings]


# What an account remembers -------------------------------------------------------------------------------------------


def test_an_account_remembers_one_key_for_each_desk(tmp_path: Path) -> None:
    path = tmp_path / "config" / "known_keys"
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert known("a", path) is None
    remember("a", "1111:2222", now=now, path=path)
    remember("b", "3333:4444", now=now, path=path)
    remember("a", "5555:6666", now=now + timedelta(days=1), path=path)
    found = known("a", path)
    assert found is not None
    assert (found.fingerprint, found.since) == ("5555:6666", "2026-03-03")
    assert path.read_text().count("\n") == 2
    path.write_bytes(b"\xff broken\nb 3333:4444 2026-03-02\n")
    assert known("b", path) is None, "a file that cannot be read vouches for nobody"
    shutil.rmtree(path.parent)
