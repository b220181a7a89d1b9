"""A filled letter as plain text and as HTML. Nothing is loaded from anywhere, and every word is escaped.

The HTML keeps to what mail programs understand: one column, inline styles, real headings, tables with row headers.
All text has at least 7:1 contrast on its ground.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import fill as wrap

from core.letters.template import Filled, Lines, Tone, Words

WIDTH = 72
INK, QUIET, RULE, GROUND, SHEET = "#16202e", "#4a5566", "#dde3ea", "#f2f5f8", "#ffffff"
ACCENT: dict[Tone, str] = {"plain": "#1f4e8c", "good": "#14603a", "attention": "#8a3a0a"}
FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


def as_text(heading: str, parts: Sequence[Filled], footer: str) -> str:
    """Plain text, wrapped at 72 characters."""
    blocks = [wrap(heading, WIDTH), *(_text(part) for part in parts), "-- \n" + wrap(footer, WIDTH)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _text(part: Filled) -> str:
    match part:
        case Lines(rows):
            widest = max((len(label) for label, _ in rows if len(label) <= 40), default=0)
            return "\n".join(f"  {label + ':':<{widest + 1}}  {value}" for label, value in rows)
        case Words(text):
            return "\n".join(f"> {each}".rstrip() for each in _wrapped(text))
        case _:
            return wrap(part, WIDTH, break_long_words=False, break_on_hyphens=False)


def _wrapped(text: str) -> Iterator[str]:
    for each in text.splitlines():
        yield from wrap(each, WIDTH - 2, break_long_words=False, break_on_hyphens=False).splitlines() or [""]


def as_html(subject: str, parts: Sequence[Filled], footer: str, *, tone: Tone) -> str:
    """A whole HTML document."""
    return _SHEET.format(
        subject=escape(subject),
        body="\n".join(_html(part, ACCENT[tone]) for part in parts),
        footer=escape(footer),
        accent=ACCENT[tone],
        ink=INK,
        quiet=QUIET,
        ground=GROUND,
        sheet=SHEET,
        rule=RULE,
        font=FONT,
    )


def _html(part: Filled, accent: str) -> str:
    match part:
        case Lines(rows):
            return _TABLE.format(rows="\n".join(_row(label, value) for label, value in rows), rule=RULE)
        case Words(text):
            return _QUOTE.format(text=escape(text).replace("\n", "<br>\n"), accent=accent, ground=GROUND)
        case _:
            return f'<p style="margin:0 0 16px">{escape(part)}</p>'


def _row(label: str, value: str) -> str:
    return (
        f'<tr><th scope="row" style="text-align:left;font-weight:400;color:{QUIET};padding:10px 16px 10px 0;'
        f'border-bottom:1px solid {RULE};vertical-align:top">{escape(label)}</th>'
        f'<td style="text-align:right;font-weight:600;padding:10px 0;border-bottom:1px solid {RULE};'
        f'vertical-align:top;font-variant-numeric:tabular-nums">{escape(value)}</td></tr>'
    )


_TABLE = (
    '<table style="width:100%;border-collapse:collapse;margin:4px 0 20px;border-top:1px solid {rule}">\n'
    "{rows}\n</table>"
)
_QUOTE = (
    '<blockquote style="margin:0 0 20px;padding:12px 16px;background:{ground};border-left:4px solid {accent};'
    'overflow-wrap:anywhere">{text}</blockquote>'
)
_SHEET = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light">
<title>{subject}</title>
</head>
<body style="margin:0;padding:0;background:{ground}">
<div style="max-width:600px;margin:0 auto;padding:24px 12px">
<main style="background:{sheet};color:{ink};border:1px solid {rule};border-top:6px solid {accent};border-radius:8px;\
padding:28px 28px 12px;font:16px/1.55 {font};overflow-wrap:break-word">
<h1 style="margin:0 0 20px;font-size:22px;line-height:1.3;color:{accent}">{subject}</h1>
{body}
</main>
<p style="margin:16px 28px;color:{quiet};font:13px/1.5 {font};overflow-wrap:break-word">{footer}</p>
</div>
</body>
</html>
"""
