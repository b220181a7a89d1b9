"""Checkpoints outside: each line follows the last one there, whatever happened to the place or to the home."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core import audit
from core.audit import outside
from core.audit.outside import OutsideDisagrees, OutsideUnreachable, publish, standing
from core.audit.outside_places import Folder
from core.audit.tree_heads import Note
from core.policy.limits import OUTSIDE_RETRY_FIRST, OUTSIDE_RETRY_LONGEST
from tests.audit.conftest import NOW, Log

LONG, TICK = OUTSIDE_RETRY_LONGEST, timedelta(milliseconds=1)


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    (tmp_path / "outside").mkdir()
    return Folder(tmp_path / "outside")


def copy_of(log: Log, place: Folder) -> Path:
    return place.path / log.file.name


def behind(log: Log, place: Folder) -> tuple[int, datetime | None]:
    found = standing(log.folder, log.file.stem, place)
    return found.missing, found.since


def wrong(log: Log, place: Folder) -> str:
    return standing(log.folder, log.file.stem, place).wrong


def published(log: Log, place: Folder, now: datetime = NOW) -> int | None:
    return publish(log.folder, log.file.stem, place, now=now)


def test_every_line_goes_outside_once_and_the_newest_as_a_note(log: Log, place: Folder) -> None:
    log.written(2)
    assert behind(log, place) == (2, NOW)
    assert (published(log, place), published(log, place)) == (2, 0)
    log.written(1)
    assert behind(log, place) == (1, NOW)
    assert published(log, place) == 1
    assert copy_of(log, place).read_bytes() == log.file.read_bytes()
    note = place.path / f"{log.file.stem}.checkpoint"
    assert Note.of(note.read_text()).size == 12
    assert Note.of(note.read_text()).signed_by(log.signer.public)
    assert note.stat().st_mode & 0o777 == 0o644
    assert behind(log, place) == (0, None)


def test_a_long_history_goes_outside_in_pieces(
    log: Log, place: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "AT_ONCE", 2)
    log.written(5)
    assert published(log, place) == 5
    assert copy_of(log, place).read_bytes() == log.file.read_bytes()


def test_the_copy_outside_verifies_the_log_and_finds_a_home_that_was_cut_short(
    log: Log, place: Folder
) -> None:
    log.written(3)
    published(log, place)
    assert audit.verify(log.auditor, place.path).ok
    log.tamper("delete from audit_entries where xid >= (select lo from seals where n = 3)")
    log.tamper("delete from journals where xid >= (select lo from seals where n = 3)")
    log.tamper("delete from seals where n = 3")
    log.file.write_bytes(b"".join(log.file.read_bytes().splitlines(keepends=True)[:2]))
    assert log.verify().ok, "the home alone does not tell"
    assert not audit.verify(log.auditor, place.path).ok
    before = copy_of(log, place).read_bytes()
    with pytest.raises(OutsideDisagrees, match="of seal 3 there, and none here"):
        published(log, place)
    log.write()
    log.seal()
    with pytest.raises(OutsideDisagrees, match="the checkpoint of seal 3 is another"):
        published(log, place, NOW + LONG)
    assert copy_of(log, place).read_bytes() == before
    assert "another history" in wrong(log, place)


def test_rubbish_outside_is_not_written_over(log: Log, place: Folder) -> None:
    log.written(1)
    copy_of(log, place).write_bytes(b"rubbish\n")
    with pytest.raises(OutsideDisagrees, match="cannot be read"):
        published(log, place)
    assert copy_of(log, place).read_bytes() == b"rubbish\n"


def test_a_line_that_was_torn_outside_is_written_whole(log: Log, place: Folder) -> None:
    log.written(2)
    published(log, place)
    copy_of(log, place).write_bytes(log.file.read_bytes()[:-9])
    assert published(log, place) == 1
    assert copy_of(log, place).read_bytes() == log.file.read_bytes()


def test_a_place_that_is_away_is_said_never_made_and_caught_up_with(log: Log, place: Folder) -> None:
    log.written(1)
    published(log, place)
    away = place.path.with_name("away")
    place.path.rename(away)
    log.written(1)
    with pytest.raises(OutsideUnreachable, match="no such folder"):
        published(log, place)
    assert not place.path.exists()
    assert behind(log, place)[0] == 1
    assert "no such folder" in wrong(log, place)
    away.rename(place.path)
    assert published(log, place, NOW + LONG) == 1
    assert wrong(log, place) == ""
    assert behind(log, place) == (0, None)


def test_a_place_that_cannot_be_written_is_said(log: Log, place: Folder) -> None:
    log.written(1)
    copy_of(log, place).mkdir()  # also for root, whom no mode stops
    with pytest.raises(OutsideUnreachable, match=os.strerror(21)):
        published(log, place)
    assert os.strerror(21) in wrong(log, place)


def test_a_place_that_fails_is_tried_again_after_a_while_that_doubles(log: Log, place: Folder) -> None:
    log.written(1)
    place.path.rmdir()
    now, wait = NOW, OUTSIDE_RETRY_FIRST
    for _ in range(12):
        with pytest.raises(OutsideUnreachable):
            published(log, place, now)
        assert published(log, place, now + wait - TICK) is None, "not tried"
        now, wait = now + wait, min(2 * wait, OUTSIDE_RETRY_LONGEST)
    assert wait == OUTSIDE_RETRY_LONGEST
    failed = now - wait
    place.path.mkdir()
    assert published(log, place, now) == 1
    found = standing(log.folder, log.file.stem, place)
    assert (found.failed_at, found.written_at, found.wrong) == (failed, now, "")


def test_a_home_that_was_rolled_back_altered_or_lacks_a_line_is_named_when_a_place_is_read_back(
    log: Log, place: Folder
) -> None:
    log.written(3)
    published(log, place)

    def wrong() -> list[tuple[str, int | None]]:
        report = audit.verify(log.auditor, log.folder, outside=[place])
        return [(each.wrong, each.seal) for each in report.findings if each.wrong.startswith("outside")]

    assert wrong() == []
    assert "are the same" in audit.verify(log.auditor, log.folder, outside=[place]).text
    whole = copy_of(log, place).read_bytes()
    first, second, third = whole.splitlines(keepends=True)
    for content, expected in (
        (first + second, []),  # it is late, which is another alarm
        (first + third, [("outside_gap", 2)]),
        (first + second.replace(b"2026", b"2025", 1) + third, [("outside_other", 2)]),
        (first + b"rubbish\n" + third, [("outside_unreadable", 2)]),
    ):
        copy_of(log, place).write_bytes(content)
        assert wrong() == expected
    copy_of(log, place).write_bytes(whole)
    log.file.write_bytes(first + second)
    assert wrong() == [("outside_more", 3)]
    place.path.rename(place.path.with_name("away"))
    assert wrong() == [("outside_unread", None)]


def test_another_place_starts_from_nothing(log: Log, place: Folder, tmp_path: Path) -> None:
    log.written(2)
    published(log, place)
    other = Folder(tmp_path / "other")
    assert behind(log, other)[0] == 2
    other.path.mkdir()
    assert published(log, other) == 2
