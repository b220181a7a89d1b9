"""Pictures from outsiders: checked before they are unpacked, and re-encoded before anybody sees them.

Runs apart (`evidence_apart`). What is shown carries nothing over but the pixels: no EXIF, no position, no comments, no
bytes behind the end of the picture.
"""

from __future__ import annotations

import contextlib
import io
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pi_heif
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from core.errors import Wording
from core.rules.evidence import (
    BY_NAME,
    DISPLAY_SIDE,
    MAX_PIXELS,
    THUMBNAIL_BOX,
    FileUnreadable,
    Format,
    PictureTooLarge,
)

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
pi_heif.register_heif_opener()
DECODERS = {"PNG": ["PNG"], "JPEG": ["JPEG", "MPO"], "WebP": ["WEBP"], "HEIC": ["HEIF"]}
MEGAPIXELS = MAX_PIXELS // 1_000_000
PNG_AT_MOST = 4 * 1024 * 1024
MOMENT = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


def inspect(file_name: str, content: bytes, form: Format) -> dict[str, Any]:
    """Size and time of a picture that decodes completely. Raises `PictureTooLarge`, `FileUnreadable`."""
    picture = _open(file_name, content, form)
    try:
        taken_at = _taken_at(picture)
        picture.load()
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise FileUnreadable(file_name=file_name, why="the picture is damaged or incomplete") from error
    return {"width": picture.width, "height": picture.height, "taken_at": taken_at and taken_at.isoformat()}


def display(content: bytes, form: str) -> bytes:
    """The picture re-encoded, upright, at most 2400 pixels on its longer side."""
    return shown(_drawn(content, form, (DISPLAY_SIDE, DISPLAY_SIDE)), form)


def shown(picture: Image.Image, form: str) -> bytes:
    if form == "PNG" and len(lossless := _saved(picture, "PNG")) <= PNG_AT_MOST:
        return lossless
    return _saved(picture, "JPEG", quality=88)


def thumbnail(content: bytes, form: str) -> bytes:
    return boxed(_drawn(content, form, THUMBNAIL_BOX))


def boxed(picture: Image.Image) -> bytes:
    """A WebP of one size for all, with nothing cut off: the rest of the box stays clear."""
    small = picture.copy()
    small.thumbnail(THUMBNAIL_BOX, Image.Resampling.LANCZOS)
    box = Image.new("RGBA", THUMBNAIL_BOX, (0, 0, 0, 0))
    box.paste(small, ((box.width - small.width) // 2, (box.height - small.height) // 2))
    return _saved(box, "WEBP", quality=80)


def holds_place(content: bytes, form: str) -> bool:
    """Whether the file as it was submitted says where it was taken."""
    return bool(_open("The picture", content, BY_NAME[form]).getexif().get_ifd(ExifTags.IFD.GPSInfo))


def _drawn(content: bytes, form: str, fit: tuple[int, int]) -> Image.Image:
    picture = _open("The picture", content, BY_NAME[form])
    picture.draft("RGB", fit)
    picture.thumbnail((fit[0] * 2, fit[1] * 2), Image.Resampling.BOX)
    upright = _in_srgb(ImageOps.exif_transpose(picture))
    upright.thumbnail(fit, Image.Resampling.LANCZOS)
    return upright


def _open(file_name: str, content: bytes, form: Format) -> Image.Image:
    try:
        # Only the decoder of the checked format may look at the bytes.
        picture = Image.open(io.BytesIO(content), formats=DECODERS[form.name])
    except Image.DecompressionBombError as error:
        raise _too_large(file_name, error) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise FileUnreadable(file_name=file_name, why="the picture is damaged or incomplete") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureTooLarge(
            file_name=file_name, size=f"{picture.width} × {picture.height}", limit=MEGAPIXELS
        )
    return picture


def _too_large(file_name: str, error: Exception) -> PictureTooLarge:
    """Pillow refuses the worst by itself and tells the number of pixels only in words."""
    size = re.search(r"(\d+) pixels", str(error))
    return PictureTooLarge(
        file_name=file_name, size=Wording(str(size[1]) if size else "too many"), limit=MEGAPIXELS
    )


def _in_srgb(picture: Image.Image) -> Image.Image:
    """RGB on white, in the colours of a screen; a profile that does not work is left aside."""
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I"):
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
    if profile and picture.mode in ("RGB", "CMYK"):
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source, screen = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            picture = ImageCms.profileToProfile(picture, source, screen, outputMode="RGB") or picture
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        picture = Image.alpha_composite(ground, layer)
    return picture.convert("RGB")


def _saved(picture: Image.Image, encoder: str, **options: Any) -> bytes:
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    out = io.BytesIO()
    bare.save(out, encoder, **options)
    return out.getvalue()


def _taken_at(picture: Image.Image) -> datetime | None:
    """When the camera says that it took the picture; without a zone of its own, its clock is read as UTC."""
    exif = picture.getexif().get_ifd(ExifTags.IFD.Exif)
    found = MOMENT.match(str(exif.get(ExifTags.Base.DateTimeOriginal, "")))
    if not found:
        return None
    zone: timezone = UTC
    if offset := OFFSET.match(str(exif.get(ExifTags.Base.OffsetTimeOriginal, ""))):
        sign = -1 if offset[1] == "-" else 1
        zone = timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
    try:
        return datetime(*(int(part) for part in found.groups()), tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):
        return None
