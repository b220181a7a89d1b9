"""What a phone makes: HEIC photographs are drawn anew, videos are checked, and shown as one picture."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import pytest
from PIL import Image

from core.gateways import evidence_files
from core.rules import evidence as rules
from core.rules.evidence import HEIC, MOV, MP4, EvidenceKind, Format

FILES = Path(__file__).parent / "files"
PHOTO, MOVIE, SHORT = ((FILES / name).read_bytes() for name in ("photo.heic", "phone.mov", "short.mp4"))


def test_a_heic_photograph_is_shown_drawn_anew_without_its_place() -> None:
    inspected = evidence_files.inspect("photo.heic", PHOTO)
    assert (inspected.format, inspected.kind) == (HEIC, EvidenceKind.IMAGE)
    assert inspected.taken_at is not None
    assert inspected.taken_at.isoformat() == "2026-03-02T08:15:00+00:00"
    shown = Image.open(io.BytesIO(evidence_files.display(PHOTO, HEIC)))
    assert (shown.format, shown.size, dict(shown.getexif())) == ("JPEG", (320, 240), {})
    assert evidence_files.thumbnail(PHOTO, HEIC)
    assert json.loads(evidence_files.about(PHOTO, HEIC)) == {"place": True}


@pytest.mark.parametrize(
    ("given", "content", "form", "kept"),
    [
        ("IMG_1.jpg", PHOTO, HEIC, "IMG_1.jpg.heic"),
        ("IMG_1.HEIC", PHOTO, HEIC, "IMG_1.HEIC"),
        ("IMG_2.mp4", MOVIE, MOV, "IMG_2.mp4.mov"),
        ("IMG_3.MOV", SHORT, MP4, "IMG_3.MOV.mp4"),
    ],
)
def test_what_a_phone_renamed_is_taken_for_what_it_is_and_keeps_its_name(
    given: str, content: bytes, form: Format, kept: str
) -> None:
    inspected = evidence_files.inspect(given, content)
    assert (inspected.format, inspected.file_name) == (form, kept)


@pytest.mark.parametrize(("content", "form", "place"), [(MOVIE, MOV, True), (SHORT, MP4, False)])
def test_a_short_video_is_shown_as_a_picture_that_is_not_dark(
    content: bytes, form: Format, place: bool
) -> None:
    inspected = evidence_files.inspect(f"clip.{form.endings[0]}", content)
    assert inspected.kind is EvidenceKind.VIDEO
    assert inspected.taken_at is not None
    assert json.loads(evidence_files.about(content, form)) == {"seconds": 2, "place": place}
    shown = Image.open(io.BytesIO(evidence_files.display(content, form)))
    assert (shown.format, shown.size) == ("JPEG", (320, 240))
    assert max(shown.convert("L").getextrema()) > 100
    assert evidence_files.thumbnail(content, form)


def without(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) == 1
    return content.replace(old, new)


def elsewhere(content: bytes) -> bytes:
    """The video's data is said to lie in another file."""
    return without(content, b"url \0\0\0\1", b"url \0\0\0\0")


def boxed(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def with_pixels(content: bytes, width: int, height: int) -> bytes:
    at = content.rindex(b"avc1") + 4 + 24
    return content[:at] + struct.pack(">HH", width, height) + content[at + 4 :]


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("long.mp4", (FILES / "long.mp4").read_bytes(), rules.VideoTooLong),
        ("old.mp4", (FILES / "old.mp4").read_bytes(), rules.FileUnreadable),
        ("cut.mp4", SHORT[:-700], rules.FileUnreadable),
        ("stream.mp4", SHORT + boxed(b"moof"), rules.FileUnreadable),
        ("twice.mp4", SHORT + boxed(b"moov"), rules.FileUnreadable),
        ("many.mp4", SHORT + boxed(b"free") * 5_000, rules.FileUnreadable),
        ("none.mp4", boxed(b"ftyp", b"isom\0\0\0\0") + boxed(b"mdat"), rules.FileUnreadable),
        ("large.mp4", with_pixels(SHORT, 9_000, 9_000), rules.PictureTooLarge),
        (
            "locked.mp4",
            SHORT[: SHORT.rindex(b"avc1")] + b"encv" + SHORT[SHORT.rindex(b"avc1") + 4 :],
            rules.PasswordProtected,
        ),
        ("away.mp4", elsewhere(SHORT), rules.ActiveContent),
        ("text.mp4", without(SHORT, b"\0\0\0\0vide", b"\0\0\0\0text"), rules.ActiveContent),
        ("sound.mp4", without(SHORT, b"\0\0\0\0vide", b"\0\0\0\0soun"), rules.FileUnreadable),
        ("movie.mp4", b"<html><script>x()</script>", rules.ContentDisagrees),
        ("photo.mp4", PHOTO, rules.ContentDisagrees),
        ("photo.jpg", SHORT, rules.ContentDisagrees),
        ("photo.heic", SHORT, rules.ContentDisagrees),
        ("photo.heic", PHOTO[:3_000], rules.FileUnreadable),
        ("clip.webm", b"\x1a\x45\xdf\xa3", rules.FormatNotAccepted),
    ],
)
def test_a_video_or_photograph_that_cannot_be_checked_is_refused(
    name: str, content: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        evidence_files.inspect(name, content)


def test_a_picture_behind_an_odd_ending_says_what_it_is() -> None:
    with pytest.raises(rules.ContentDisagrees, match="a HEIC file"):
        evidence_files.inspect("report.pdf", PHOTO)
    with pytest.raises(rules.ContentDisagrees, match="a video"):
        evidence_files.inspect("note.txt", SHORT)
