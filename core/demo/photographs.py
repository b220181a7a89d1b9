"""Photographs for the demo: three real surfaces, cut, lit, coloured and marked so that every case shows its own.

The same seed gives the same picture. Each carries the EXIF of a telephone, position included, so that the demo also
shows what the desk strips.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFilter, ImageOps

ASSETS = Path(__file__).with_name("assets")
SIZE = (1_280, 960)
STRAIGHT = (120, 2, 56, 510, 460, 510, 385, 2)  # corners of the wall in brick.jpg: NW, SW, SE, NE
PHONES = (("Northlight", "N5"), ("Northlight", "N6 Pro"), ("Kite", "Photo 3"), ("Kite", "Mini"))
Mark = Callable[[Image.Image, random.Random], Image.Image]
Colours = tuple[str, str, str]
BRICK, GRASS, GRAVEL = (
    ("#2a1712", "#9c5a44", "#e9cfc0"),
    ("#0e160a", "#4f6b2c", "#c9d693"),
    ("#1b1a18", "#7d7770", "#e4ded4"),
)
RENDER, PATIO = ("#39342d", "#a79c8b", "#f3ede2"), ("#241f1b", "#8c7a66", "#e6d8c4")


@dataclass(frozen=True)
class Scene:
    """What a photograph shows: a surface, its colours from dark to light, and what happened to it."""

    surface: str
    colours: Colours
    marks: tuple[Mark, ...] = ()


def photo(seed: int, kind: str, taken_at: datetime) -> bytes:
    """A JPEG of 1280 × 960 of one of `SCENES`, taken at that time, as a telephone would save it."""
    out = io.BytesIO()
    exif = _exif(random.Random(f"{seed}/{kind}/exif"), taken_at)
    _picture(seed, kind).save(out, "JPEG", quality=84, exif=exif)
    return out.getvalue()


@lru_cache(maxsize=64)
def _picture(seed: int, kind: str) -> Image.Image:
    scene, dice = SCENES[kind], random.Random(f"{seed}/{kind}")
    picture = _coloured(_framed(_surface(scene.surface), dice), scene.colours, dice)
    for mark in scene.marks:
        picture = mark(picture, dice)
    return _lit(picture, dice)


@cache
def _surface(name: str) -> Image.Image:
    """A square of 1024 pixels. The bricks were photographed leaning and sideways: they are straightened."""
    with Image.open(ASSETS / f"{name}.jpg") as opened:
        tile = ImageOps.autocontrast(opened.convert("L"), cutoff=1)
    if name == "brick":
        straight = tile.transform((1_024, 1_024), Image.Transform.QUAD, STRAIGHT, Image.Resampling.BICUBIC)
        wall = straight.transpose(Image.Transpose.ROTATE_90)
        return ImageChops.soft_light(wall, _surface("gravel").point(lambda value: 64 + value // 2))
    whole = Image.new("L", (1_024, 1_024))
    for corner in ((0, 0), (512, 0), (0, 512), (512, 512)):
        whole.paste(tile, corner)
    return whole


def _framed(surface: Image.Image, dice: random.Random) -> Image.Image:
    """A part of the surface as a hand-held camera sees it: shifted, a little turned, leaning away."""
    width, height = SIZE
    share = dice.uniform(0.62, 0.92)
    wide, high = surface.width * share, surface.width * share * height / width
    left, top = dice.uniform(0, surface.width - wide), dice.uniform(0, surface.height - high)
    lean, turn = dice.uniform(0, 0.06) * wide, dice.uniform(-0.02, 0.02) * high
    corners = (
        left + lean,
        top + turn,
        left,
        top + high,
        left + wide,
        top + high,
        left + wide - lean,
        top - turn,
    )
    inside = tuple(min(max(value, 0.0), surface.width - 1.0) for value in corners)
    return surface.transform(SIZE, Image.Transform.QUAD, inside, Image.Resampling.BILINEAR)


def _coloured(grey: Image.Image, colours: Colours, dice: random.Random) -> Image.Image:
    dark, middle, light = colours
    picture = ImageOps.colorize(grey, dark, light, mid=middle, midpoint=dice.randint(86, 116))
    cast = Image.new("RGB", SIZE, (dice.randint(120, 150), dice.randint(122, 136), dice.randint(108, 140)))
    return ImageChops.soft_light(picture, cast)


def _lit(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Light from one side, darker corners, the noise of a small lens."""
    fall = Image.linear_gradient("L").rotate(dice.choice((0, 90, 180, 270))).resize(SIZE)
    picture = Image.composite(picture, picture.point(lambda value: int(value * 0.72)), fall)
    picture = Image.composite(picture, picture.point(lambda value: int(value * 0.55)), _corners())
    speck = random.Random(dice.random()).randbytes(160 * 120)
    noise = Image.frombytes("L", (160, 120), speck).resize(SIZE, Image.Resampling.BILINEAR)
    return Image.blend(picture, Image.merge("RGB", (noise, noise, noise)), 0.035)


@cache
def _corners() -> Image.Image:
    return ImageOps.invert(Image.radial_gradient("L").resize(SIZE)).point(lambda value: min(255, value + 110))


def _cracked(picture: Image.Image, dice: random.Random) -> Image.Image:
    """A crack that wanders down through the picture and sends out branches."""
    mask = Image.new("L", SIZE)
    draw = ImageDraw.Draw(mask)
    x, y = dice.uniform(0.25, 0.75) * SIZE[0], -10.0
    heading = dice.uniform(-0.3, 0.3)
    while y < SIZE[1] + 10:
        x, y, heading = _step(draw, dice, x, y, heading, dice.uniform(4, 10))
        if dice.random() < 0.05:
            _branch(draw, dice, x, y, heading)
    soft = mask.filter(ImageFilter.GaussianBlur(1.2))
    shade = mask.filter(ImageFilter.GaussianBlur(7)).point(lambda value: value // 3)
    picture.paste((70, 60, 52), mask=shade)
    picture.paste((18, 14, 12), mask=soft)
    return picture


def _branch(draw: ImageDraw.ImageDraw, dice: random.Random, x: float, y: float, heading: float) -> None:
    heading += dice.choice((-1, 1)) * dice.uniform(0.7, 1.2)
    for left in range(dice.randint(5, 16), 0, -1):
        x, y, heading = _step(draw, dice, x, y, heading, min(3.0, left / 3))


def _step(
    draw: ImageDraw.ImageDraw, dice: random.Random, x: float, y: float, heading: float, width: float
) -> tuple[float, float, float]:
    heading = heading * 0.9 + dice.uniform(-0.6, 0.6)
    length = dice.uniform(8, 22)
    to_x, to_y = x + math.sin(heading) * length, y + math.cos(heading) * length
    draw.line((x, y, to_x, to_y), fill=235, width=max(1, round(width)))
    return to_x, to_y, heading


def _blot(dice: random.Random, *, size: float, soft: float) -> Image.Image:
    """The mask of an irregular patch."""
    mask = Image.new("L", SIZE)
    draw = ImageDraw.Draw(mask)
    across, down = dice.uniform(0.3, 0.7) * SIZE[0], dice.uniform(0.35, 0.7) * SIZE[1]
    for _ in range(26):
        radius = dice.uniform(0.3, 1.0) * size
        x, y = across + dice.gauss(0, size * 0.9), down + dice.gauss(0, size * 0.5)
        draw.ellipse((x - radius, y - radius * 0.7, x + radius, y + radius * 0.7), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(soft))


def _damp(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Damp that has dried before: dark inside, with a brown rim."""
    inside = _blot(dice, size=150, soft=26)
    rim = ImageChops.subtract(
        inside.point(lambda value: 255 if value > 70 else 0).filter(ImageFilter.GaussianBlur(6)),
        inside.point(lambda value: 255 if value > 120 else 0).filter(ImageFilter.GaussianBlur(6)),
    )
    wet = ImageChops.multiply(picture, Image.new("RGB", SIZE, (150, 132, 104)))
    picture = Image.composite(wet, picture, inside.point(lambda value: int(value * 0.8)))
    picture.paste((96, 66, 34), mask=rim.point(lambda value: value // 2))
    return picture


def _bare(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Patches where only earth is left."""
    earth = ImageOps.colorize(_framed(_surface("gravel"), dice), "#20160e", "#a98660", mid="#6b4d31")
    for _ in range(dice.randint(2, 4)):
        picture = Image.composite(earth, picture, _blot(dice, size=dice.uniform(50, 120), soft=9))
    return picture


def _puddle(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Water that stands where it should run off."""
    mask = _blot(dice, size=170, soft=4)
    sky = ImageOps.colorize(Image.linear_gradient("L").resize(SIZE), "#cdd7de", "#59656c")
    water = Image.blend(picture.filter(ImageFilter.GaussianBlur(6)), sky, 0.55)
    return Image.composite(water, picture, mask)


def _measured(picture: Image.Image, dice: random.Random) -> Image.Image:
    """A folding rule laid beside it, in centimetres."""
    rule = Image.new("RGBA", (1_000, 58), (238, 205, 60, 255))
    draw = ImageDraw.Draw(rule)
    for tick in range(0, 1_000, 10):
        draw.line(
            (tick, 0, tick, 30 if tick % 100 == 0 else 20 if tick % 50 == 0 else 12), fill="#241f10", width=2
        )
        if tick % 100 == 0 and tick:
            draw.text((tick - 8, 32), str(tick // 10), fill="#241f10", font_size=20)
    turned = rule.rotate(dice.uniform(-14, 14), expand=True, resample=Image.Resampling.BICUBIC)
    place = (dice.randint(40, 220), dice.randint(560, 700))
    shade = Image.new("RGBA", turned.size, (0, 0, 0, 110))
    picture.paste(shade, (place[0] + 5, place[1] + 8), turned.getchannel("A").point(lambda value: value // 2))
    picture.paste(turned, place, turned)
    return picture


def _exif(dice: random.Random, taken_at: datetime) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = dice.choice(PHONES)
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = f"{taken_at:%Y:%m:%d %H:%M:%S}"
    offset = f"{taken_at:%z}" or "+0000"
    details[ExifTags.Base.OffsetTimeOriginal] = f"{offset[:3]}:{offset[3:5]}"
    position = exif.get_ifd(ExifTags.IFD.GPSInfo)
    position[1], position[2] = "N", (40.0, float(dice.randint(20, 50)), float(dice.randint(0, 59)))
    position[3], position[4] = "W", (73.0, float(dice.randint(20, 50)), float(dice.randint(0, 59)))
    return exif


SCENES = {
    "wall": Scene("brick", BRICK),
    "wall_cracked": Scene("brick", BRICK, (_cracked,)),
    "wall_cracked_measured": Scene("brick", BRICK, (_cracked, _measured)),
    "wall_damp": Scene("brick", RENDER, (_damp,)),
    "wall_rendered": Scene("brick", RENDER),
    "lawn": Scene("grass", GRASS),
    "lawn_bare": Scene("grass", GRASS, (_bare,)),
    "drive": Scene("gravel", GRAVEL),
    "drive_flooded": Scene("gravel", GRAVEL, (_puddle,)),
    "patio": Scene("brick", PATIO),
    "patio_cracked": Scene("brick", PATIO, (_cracked,)),
    "patio_measured": Scene("brick", PATIO, (_measured,)),
}
