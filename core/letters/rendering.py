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
_SIGNED = "\n\n-- \n"
FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


def as_text(heading: str, parts: Sequence[Filled], footer: str) -> str:
    """Plain text, wrapped at 72 characters."""
    blocks = [wrap(heading, WIDTH), *(_text(part) for part in parts)]
    return "\n\n".join(block for block in blocks if block) + _SIGNED + wrap(footer, WIDTH) + "\n"


def text_together(heading: str, intro: str, letters: Sequence[tuple[str, str]], footer: str) -> str:
    """Several letters as one plain text: their subjects, then each as it was written, without its footer."""
    listed = "\n".join(wrap(f"{at}. {subject}", WIDTH) for at, (subject, _) in enumerate(letters, start=1))
    each = [text.rpartition(_SIGNED)[0] or text.rstrip() for _, text in letters]
    bodies = [f"{'=' * WIDTH}\n\n{text}" for text in each]
    blocks = [wrap(heading, WIDTH), wrap(intro, WIDTH), listed, *bodies, "-- \n" + wrap(footer, WIDTH)]
    return "\n\n".join(blocks) + "\n"


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


def html_together(heading: str, intro: str, letters: Sequence[tuple[str, str]], footer: str) -> str:
    """Several letters as one HTML document, each below its subject as a heading of the second order."""
    accent = ACCENT["plain"]
    bodies = [
        f'<h2 style="margin:28px 0 16px;padding:20px 0 0;border-top:1px solid {RULE};font-size:18px;line-height:1.3;'
        f'color:{accent}">{escape(subject)}</h2>\n{_inside(html)}'
        for subject, html in letters
    ]
    return _SHEET.format(
        subject=escape(heading),
        body="\n".join([_html(intro, accent), *bodies]),
        footer=escape(footer),
        accent=accent,
        ink=INK,
        quiet=QUIET,
        ground=GROUND,
        sheet=SHEET,
        rule=RULE,
        font=FONT,
    )


def _inside(html: str) -> str:
    """What stands on a sheet of ours below its heading. Every word on it is escaped, so these marks stand once."""
    return html.partition("</h1>\n")[2].partition("\n</main>")[0]


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
