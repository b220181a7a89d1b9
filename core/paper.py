"""What the desk prints on: fonts that hold the letters of people's names, and the styles of its papers.

DejaVu Sans comes with the desk and holds Latin, Greek, Cyrillic, Armenian, Georgian, Arabic and Hebrew letters and the
signs of currencies. Chinese, Japanese and Korean are set in fonts that every reader of PDF brings along, so a text is
cut into runs of one font each. A letter that no font holds is printed as its code point, never as an empty box.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont

FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
JAPANESE, KOREAN, CHINESE = "HeiseiKakuGo-W5", "HYGothic-Medium", "STSong-Light"
# Hebrew and Arabic: the printer sets from left to right whatever it is given.
LEFTWARD = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+(?: +[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+)*"
)
INK, DIM = HexColor("#1b2430"), HexColor("#5e6b7e")


@cache
def letters() -> frozenset[int]:
    """The code points that our own fonts hold; asking makes the fonts known to the printer."""
    held = []
    for name in (PLAIN, BOLD):
        font = TTFont(name, str(FONTS / f"{name}.ttf"))
        registerFont(font)
        held.append(frozenset(font.face.charToGlyph))
    registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    for name in (JAPANESE, KOREAN, CHINESE):
        registerFont(UnicodeCIDFont(name))
    return held[0] & held[1]


def safe(text: str) -> str:
    """Words of outsiders, ready for a paragraph: nothing in them is read as markup, every letter has its font."""
    kept = "".join(mark for mark in text if mark.isprintable() or mark == " ")
    seen = LEFTWARD.sub(lambda found: found[0][::-1], kept)
    return "".join(_set(font, "".join(run)) for font, run in groupby(seen, _font))


def style(name: str, size: float, leading: float, *, bold: bool = False, **also: object) -> ParagraphStyle:
    """A style in the desk's font."""
    letters()
    settings = {"textColor": INK, "splitLongWords": 1} | also
    return ParagraphStyle(name, fontName=BOLD if bold else PLAIN, fontSize=size, leading=leading, **settings)


def _set(font: str | None, run: str) -> str:
    if font is None:
        return "".join(f"[U+{ord(mark):04X}]" for mark in run)
    return escape(run) if font == PLAIN else f'<font name="{font}">{escape(run)}</font>'


def _font(mark: str) -> str | None:
    """The font that holds a letter; None where none does."""
    code = ord(mark)
    if code in letters():
        return PLAIN
    return next((font for font, first, last in _BLOCKS if first <= code <= last), None)


_BLOCKS = (
    (KOREAN, 0x1100, 0x11FF),
    (JAPANESE, 0x3000, 0x30FF),
    (KOREAN, 0x3130, 0x318F),
    (CHINESE, 0x3400, 0x4DBF),
    (CHINESE, 0x4E00, 0x9FFF),
    (KOREAN, 0xAC00, 0xD7A3),
    (CHINESE, 0xF900, 0xFAFF),
    (JAPANESE, 0xFF00, 0xFFEF),
)
