"""The bucket over HTTP, the mail by SMTP, and timestamps of a real authority: each gets every checkpoint once, in
order, goes on where it stopped, and what somebody put in its place is found."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from core import audit
from core.audit import outside, timestamps
from core.audit.outside import OutsideDisagrees, OutsideUnreachable, Place, publish, standing
from core.audit.outside_places import BucketPlace, Mailbox, Timestamps, authority, places, readable
from core.config import Settings
from core.gateways.object_store import Bucket
from core.policy.limits import CHECKPOINTS_MAILED_EVERY, OUTSIDE_RETRY_LONGEST, TIMESTAMPED_EVERY
from tests.audit.conftest import NOW, Log
from tests.bucket_server import bucket_server
from tests.smtp_server import PostOffice, post_office
from tests.timestamp_authority import TimestampAuthority, timestamp_authority

LONG = OUTSIDE_RETRY_LONGEST


def published(log: Log, place: Place, now: datetime = NOW) -> int | None:
    return publish(log.folder, log.file.stem, place, now=now)


def home_of(log: Log, **said: Any) -> Settings:
    return Settings(home=log.home, **said)


@pytest.fixture
def bucket(log: Log) -> Iterator[BucketPlace]:
    with bucket_server() as said:
        (place,) = places(home_of(log, **said))
        assert isinstance(place, BucketPlace)
        yield place


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[TimestampAuthority]:
    with timestamp_authority(tmp_path / "authority") as running:
        yield running


@pytest.fixture
def stamps(log: Log, tsa: TimestampAuthority) -> Timestamps:
    return Timestamps(home_of(log, timestamp_url=tsa.url, timestamp_certificate=tsa.root))


def in_the_bucket(log: Log, place: BucketPlace) -> bytes:
    return b"".join(place.lines(log.file.stem))


def test_a_place_is_set_by_its_variable_and_only_some_can_be_read_back(tmp_path: Path) -> None:
    every = Settings(
        home=tmp_path, outside_checkpoints=tmp_path, checkpoint_bucket="s3://b", checkpoint_mail="a@b.c",
        timestamp_url="http://t/", timestamp_certificate=tmp_path,
    )  # fmt: skip
    assert [each.kind for each in places(every)] == ["folder", "bucket", "mail", "timestamps"]
    assert [each.name for each in readable(every)] == [str(tmp_path), "s3://b"]
    assert places(Settings(home=tmp_path)) == []
    assert authority(Settings(home=tmp_path)) is None


def test_a_bucket_gets_every_line_once_and_in_order_and_is_read_back(
    log: Log, bucket: BucketPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.written(2)
    assert (published(log, bucket), published(log, bucket)) == (2, 0)
    monkeypatch.setattr(outside, "AT_ONCE", 2)
    log.written(3)
    assert published(log, bucket) == 3
    assert list(bucket.bucket.keys(log.file.stem)) == [f"{log.file.stem}/{n:019d}.jsonl" for n in (2, 4, 5)]
    assert in_the_bucket(log, bucket) == log.file.read_bytes()
    assert audit.verify(log.auditor, log.folder, outside=[bucket]).ok


def test_what_a_bucket_has_is_known_also_where_the_home_forgot_it(log: Log, bucket: BucketPlace) -> None:
    log.written(2)
    published(log, bucket)
    for each in log.folder.glob("*.outside-*"):
        each.unlink()
    log.written(1)
    assert published(log, bucket) == 1
    assert in_the_bucket(log, bucket) == log.file.read_bytes()


def test_an_answer_of_the_bucket_that_was_lost_writes_nothing_twice(log: Log, bucket: BucketPlace) -> None:
    log.written(2)
    lines = log.file.read_bytes().splitlines(keepends=True)
    bucket.add(log.file.stem, lines, NOW)
    bucket.add(log.file.stem, lines, NOW)
    with pytest.raises(OutsideDisagrees, match="is there already, and is another"):
        bucket.add(log.file.stem, [lines[0], lines[1].replace(b"2026", b"2025")], NOW)
    assert published(log, bucket) == 0
    assert in_the_bucket(log, bucket) == log.file.read_bytes()


def test_a_home_that_was_rolled_back_is_found_by_its_bucket_and_a_forged_checkpoint_in_it_too(
    log: Log, bucket: BucketPlace
) -> None:
    log.written(3)
    published(log, bucket)
    whole = log.file.read_bytes()
    log.file.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
    (found,) = [each for each in log.verify(outside=[bucket]).findings if each.wrong.startswith("outside")]
    assert (found.wrong, found.seal) == ("outside_more", 3)
    assert bucket.name in found.text
    with pytest.raises(OutsideDisagrees, match="of seal 3 there, and none here"):
        published(log, bucket)
    log.file.write_bytes(whole)
    assert published(log, bucket, NOW + LONG) == 0
    key = f"{log.file.stem}/{3:019d}.jsonl"
    forged = whole.replace(b'"entries":3', b'"entries":2')
    bucket.bucket._store.put(key, forged)
    found = log.verify(outside=[bucket]).findings[0]
    assert (found.wrong, found.seal) == ("outside_other", 1)
    log.written(1)
    with pytest.raises(OutsideDisagrees, match="the checkpoint of seal 3 is another"):
        published(log, bucket, NOW + LONG)


def test_a_bucket_that_is_down_stops_no_seal_and_is_caught_up_with(log: Log) -> None:
    with bucket_server() as said:
        away = said | {"s3_endpoint": "http://127.0.0.1:9"}
        (down,) = places(home_of(log, **away))
        log.written(1)
        with pytest.raises(OutsideUnreachable) as caught:
            published(log, down)
        assert "Debug" not in caught.value.message
        log.written(1)
        assert published(log, down) is None
        found = standing(log.folder, log.file.stem, down)
        assert (found.missing, found.failed_at, bool(found.wrong)) == (2, NOW, True)
        assert [each.wrong for each in log.verify(outside=readable(home_of(log, **away))).findings] == [
            "outside_unread"
        ]
        (back,) = places(home_of(log, **said))
        assert published(log, back, NOW + LONG) == 2
        assert standing(log.folder, log.file.stem, back).wrong == ""


def test_a_bucket_that_does_not_exist_is_said_in_one_sentence(log: Log, bucket: BucketPlace) -> None:
    other = BucketPlace(Bucket("s3://nobody-has-this", bucket.bucket._settings))
    log.written(1)
    with pytest.raises(OutsideUnreachable, match="NoSuchBucket: The specified bucket does not exist"):
        published(log, other)


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as running:
        yield running


def words_of(letter: bytes) -> str:
    body = message_from_bytes(letter, policy=policy.default).get_body(("plain",))
    assert body
    return str(body.get_content()).replace("\r\n", "\n")


def notes_of(log: Log) -> list[str]:
    return [json.loads(line)["tree"]["note"] for line in log.file.read_bytes().splitlines()]


def test_mail_has_the_signed_notes_once_an_hour_and_the_same_mail_again_where_nobody_knows_if_it_went(
    log: Log, office: PostOffice
) -> None:
    (place,) = places(
        home_of(log, checkpoint_mail="witness@example.com", smtp_url=f"smtp://127.0.0.1:{office.port}")
    )
    log.written(2)
    assert (published(log, place), published(log, place)) == (2, 0)
    log.written(1)
    assert published(log, place, NOW + CHECKPOINTS_MAILED_EVERY / 2) == 0
    tried: list[bytes] = []

    def silent(letter: bytes) -> None:
        tried.append(letter)  # taken, and never answered

    office.data = silent
    later = NOW + CHECKPOINTS_MAILED_EVERY
    with pytest.raises(OutsideUnreachable):
        published(log, place, later)
    log.written(1)
    office.data = lambda letter: "250 kept"
    assert published(log, place, later + LONG) == 2
    first, again, rest = office.letters
    assert tried == [again], "the same mail to the byte, and what came since in another"
    notes = notes_of(log)
    assert [[note for note in notes if note in words_of(each)] for each in (first, again, rest)] == [
        notes[:2], notes[2:3], notes[3:],
    ]  # fmt: skip
    assert len({message_from_bytes(each)["Message-ID"] for each in office.letters}) == 3
    assert isinstance(place, Mailbox)


def test_a_timestamp_is_verified_kept_beside_the_checkpoints_and_proves_its_time(
    log: Log, stamps: Timestamps, tsa: TimestampAuthority, tmp_path: Path
) -> None:
    log.written(3)
    assert (published(log, stamps), published(log, stamps)) == (1, 0)
    log.written(1)
    assert published(log, stamps, NOW + TIMESTAMPED_EVERY / 2) == 0
    assert published(log, stamps, NOW + TIMESTAMPED_EVERY) == 1
    kept = [stamp for _, stamp in timestamps.kept(log.folder, log.file.stem) if stamp]
    assert [each.n for each in kept] == [3, 4], "the newest covers all before it"
    report = log.verify(authority=authority(stamps.settings))
    assert report.ok
    assert report.stamped
    assert (report.stamped.count, report.stamped.n) == (2, 4)
    assert "All up to seal 4 existed at" in report.text
    (tmp_path / "note").write_text(kept[0].note)
    (tmp_path / "answer").write_bytes(kept[0].answer)
    verify = f"openssl ts -verify -data {tmp_path}/note -in {tmp_path}/answer -CAfile {tsa.root}"
    assert b"OK" in subprocess.run(verify.split(), check=True, capture_output=True).stdout


def test_the_authority_is_pinned_by_its_root_or_its_very_certificate(
    log: Log, stamps: Timestamps, tsa: TimestampAuthority, tmp_path: Path
) -> None:
    log.written(1)
    published(log, stamps)
    both, wrong, alone = tmp_path / "both.pem", tmp_path / "wrong.pem", tmp_path / "alone.pem"
    both.write_bytes(tsa.root.read_bytes() + tsa.signer.read_bytes())
    alone.write_bytes(tsa.signer.read_bytes())
    with timestamp_authority(tmp_path / "another") as other:
        wrong.write_bytes(tsa.root.read_bytes() + other.signer.read_bytes())
        for believed, words in (
            (tsa.root, None),
            (both, None),
            (other.root, "certificate"),
            (wrong, "does not match"),
            (alone, "there is no root in"),
            (tmp_path / "none.pem", "No such file"),
        ):
            report = log.verify(authority=timestamps.Authority(believed))
            assert report.ok == (words is None), believed
            assert words is None or words in report.findings[0].text


def test_a_timestamp_that_was_replaced_altered_or_cannot_be_read_is_named(
    log: Log, stamps: Timestamps, tsa: TimestampAuthority, tmp_path: Path
) -> None:
    log.written(1)
    published(log, stamps)
    log.written(1)
    published(log, stamps, NOW + TIMESTAMPED_EVERY)
    path = log.folder / timestamps.FILE.format(ledger=log.file.stem)
    whole = path.read_bytes()
    (_, first), (_, second) = timestamps.kept(log.folder, log.file.stem)
    assert first
    assert second
    with timestamp_authority(tmp_path / "another") as other:
        strange = timestamps.ask(other.url, second.note, timestamps.Authority(other.root))
    known = timestamps.Authority(tsa.root)
    for other_one in (
        replace(second, answer=first.answer),
        replace(second, answer=strange),
        replace(second, note=first.note, answer=first.answer),
        replace(second, n=9),
        replace(second, answer=second.answer[:-9] + bytes(9)),
    ):
        path.write_bytes(whole.splitlines(keepends=True)[0])
        timestamps.keep(log.folder, log.file.stem, other_one)
        (found,) = log.verify(authority=known).findings
        assert (found.wrong, found.id) == ("timestamp", 2), other_one
    path.write_bytes(b"rubbish\n" + whole)
    (found,) = log.verify(authority=known).findings
    assert (found.wrong, found.id) == ("timestamp", 1)
    path.write_bytes(whole)
    assert log.verify(authority=known).ok


def test_an_authority_that_answers_with_another_stamp_or_not_at_all_is_not_believed(
    log: Log, stamps: Timestamps, tsa: TimestampAuthority
) -> None:
    log.written(1)
    published(log, stamps)
    ((_, first),) = timestamps.kept(log.folder, log.file.stem)
    assert first
    log.written(1)
    now = NOW
    for answer, status in ((first.answer, 200), (b"no", 200), (b"", 503)):
        tsa.answer, tsa.status, now = answer, status, now + timedelta(days=1)
        with pytest.raises(OutsideUnreachable):
            published(log, stamps, now)
    assert len(list(timestamps.kept(log.folder, log.file.stem))) == 1
    found = standing(log.folder, log.file.stem, stamps)
    assert (found.n, found.missing, found.failed_at) == (1, 1, now)
    tsa.answer, tsa.status = None, 200
    assert published(log, stamps, now + LONG) == 1
