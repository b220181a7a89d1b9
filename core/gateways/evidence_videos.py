"""Videos from outsiders: the container is read box by box, and one picture of the beginning is re-encoded.

Runs apart (`evidence_apart`). A video is never played here: what is shown is that picture, and the file itself is only
downloaded, with everything that the phone wrote into it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from PIL import Image

from core.errors import Wording
from core.gateways import evidence_images
from core.rules.evidence import (
    DISPLAY_SIDE,
    MAX_FRAME,
    MAX_SECONDS,
    MAX_TRACKS,
    ActiveContent,
    FileUnreadable,
    PasswordProtected,
    PictureTooLarge,
    VideoTooLong,
)

EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
MOST_BOXES = 4_096
TRACKS = {b"vide", b"soun", b"meta", b"tmcd", b"auxv"}
CODECS = {b"avc1", b"avc3", b"hvc1", b"hev1", b"dvh1", b"dvhe"}
PLACES = (b"\xa9xyz", b"loci", b"location.ISO6709")
LOCKED = {b"encv", b"enca", b"drmi", b"drms"}
FRAMES = 30


class Box(NamedTuple):
    kind: bytes
    body: bytes


def inspect(file_name: str, content: bytes) -> dict[str, Any]:
    """Length and time of a video of which a picture can be drawn.

    Raises `VideoTooLong`, `PictureTooLarge`, `ActiveContent`, `PasswordProtected`, `FileUnreadable`.
    """
    try:
        facts = _checked(file_name, content)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise FileUnreadable(file_name=file_name, why="the video is damaged or incomplete") from error
    still(content, file_name=file_name)
    return facts


def about(content: bytes) -> dict[str, Any]:
    """What a video that was inspected says of itself."""
    moov = _one(_boxes(content), b"moov")
    return {"seconds": _seconds(moov), "place": any(mark in moov for mark in PLACES)}


def still(content: bytes, *, file_name: str = "The video") -> Image.Image:
    """The first picture that is not all dark, upright; the first of all if every one is."""
    import cv2  # large, and only for videos

    stream = io.BytesIO(content)  # kept by name: the reader does not keep it, and reads what is gone
    reader = cv2.VideoCapture(stream, cv2.CAP_FFMPEG, [])  # type: ignore[call-overload]
    first = None
    try:
        for _ in range(FRAMES):
            there, frame = reader.read()
            if not there:
                break
            first = frame if first is None else first
            if frame.mean() > 16:
                first = frame
                break
    except cv2.error as error:
        raise FileUnreadable(file_name=file_name, why="no picture of the video can be drawn") from error
    finally:
        reader.release()
        stream.close()
    if first is None:
        raise FileUnreadable(file_name=file_name, why="no picture of the video can be drawn")
    return Image.fromarray(cv2.cvtColor(first, cv2.COLOR_BGR2RGB))


def display(content: bytes) -> bytes:
    picture = still(content)
    picture.thumbnail((DISPLAY_SIDE, DISPLAY_SIDE), Image.Resampling.LANCZOS)
    return evidence_images.shown(picture, "JPEG")


def thumbnail(content: bytes) -> bytes:
    return evidence_images.boxed(still(content))


def _checked(file_name: str, content: bytes) -> dict[str, Any]:
    top = list(_boxes(content))
    if any(box.kind == b"moof" for box in top):
        raise FileUnreadable(file_name=file_name, why="it is a stream cut into pieces, and not a whole video")
    moov = _one(top, b"moov")
    seconds = _seconds(moov)
    if seconds > MAX_SECONDS:
        raise VideoTooLong(file_name=file_name, seconds=seconds, limit=MAX_SECONDS)
    if any(box.kind in (b"rmra", b"cmov") for box in _boxes(moov)):
        raise ActiveContent(file_name=file_name, what="parts that are loaded from elsewhere")
    tracks = [box.body for box in _boxes(moov) if box.kind == b"trak"]
    if len(tracks) > MAX_TRACKS:
        raise FileUnreadable(
            file_name=file_name, why=f"it has {len(tracks)} tracks, and {MAX_TRACKS} is the most"
        )
    kinds = [_track(file_name, track) for track in tracks]
    if kinds.count(b"vide") != 1:
        raise FileUnreadable(
            file_name=file_name, why=f"it has {kinds.count(b'vide')} tracks of pictures, not one"
        )
    return {"seconds": seconds, "taken_at": _made_at(moov)}


def _track(file_name: str, track: bytes) -> bytes:
    """The kind of a track: one that shows or sounds, with its data in this file."""
    media = _one(_boxes(track), b"mdia")
    kind = _one(_boxes(media), b"hdlr")[8:12]
    if kind not in TRACKS:
        raise ActiveContent(file_name=file_name, what="a track that is neither picture nor sound")
    inside = _one(_boxes(media), b"minf")
    sources = _one(_boxes(_one(_boxes(inside), b"dinf")), b"dref")
    if any(box.body[3] & 1 == 0 for box in _boxes(sources[8:])):
        raise ActiveContent(file_name=file_name, what="parts that are loaded from elsewhere")
    for sample in _boxes(_one(_boxes(_one(_boxes(inside), b"stbl")), b"stsd")[8:]):
        if sample.kind in LOCKED:
            raise PasswordProtected(file_name=file_name)
        if kind == b"vide":
            _check_picture(file_name, sample)
    return kind


def _check_picture(file_name: str, sample: Box) -> None:
    if sample.kind not in CODECS:
        raise FileUnreadable(file_name=file_name, why="its pictures are neither H.264 nor H.265")
    width, height = struct.unpack(">HH", sample.body[24:28])
    if not 0 < width * height <= MAX_FRAME:
        raise PictureTooLarge(
            file_name=file_name, size=Wording(f"{width} × {height}"), limit=MAX_FRAME // 1_000_000
        )


def _seconds(moov: bytes) -> int:
    """Rounded up, of the whole and of every track, whichever is longest."""
    header = _one(_boxes(moov), b"mvhd")
    scale, length = struct.unpack(">IQ", header[20:32]) if header[0] else struct.unpack(">II", header[12:20])
    lengths = [length, *(_length(box.body) for box in _boxes(moov) if box.kind == b"trak")]
    return -(-max(lengths) // scale) if scale else MAX_SECONDS + 1


def _length(track: bytes) -> int:
    header = _one(_boxes(track), b"tkhd")
    length: int = (
        struct.unpack(">Q", header[28:36])[0] if header[0] else struct.unpack(">I", header[20:24])[0]
    )
    return length


def _made_at(moov: bytes) -> str | None:
    header = _one(_boxes(moov), b"mvhd")
    made = struct.unpack(">Q", header[4:12])[0] if header[0] else struct.unpack(">I", header[4:8])[0]
    return (EPOCH + timedelta(seconds=made)).isoformat() if made else None


def _one(boxes: Iterator[Box] | list[Box], kind: bytes) -> bytes:
    """The body of the only box of this kind."""
    found = [box.body for box in boxes if box.kind == kind]
    if len(found) != 1:
        raise ValueError(f"{len(found)} boxes {kind!r}")
    return found[0]


def _boxes(content: bytes) -> Iterator[Box]:
    """The boxes that fill `content` (ISO 14496-12): four bytes of size, four of kind, then the body."""
    at = 0
    for _ in range(MOST_BOXES):
        if at == len(content) or content[at:] == b"\0\0\0\0":
            return
        size, head = struct.unpack(">I", content[at : at + 4])[0], 8
        kind = content[at + 4 : at + 8]
        if size == 1:
            size, head = struct.unpack(">Q", content[at + 8 : at + 16])[0], 16
        elif size == 0:
            size = len(content) - at
        if size < head or at + size > len(content):
            raise ValueError("a box that does not end")
        yield Box(kind, content[at + head : at + size])
        at += size
    raise ValueError("too many boxes")
