"""A filled letter as plain text and as HTML (`letter.html`). Nothing is loaded from anywhere; Jinja escapes every word.

The HTML keeps to what mail programs understand: one column, inline styles, real headings, tables with row headers.
All text has at least 7:1 contrast on its ground.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill as wrap

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from core.letters.template import Filled, Lines, Tone, Words

WIDTH = 72
INK, QUIET, RULE, GROUND, SHEET = "#16202e", "#4a5566", "#dde3ea", "#f2f5f8", "#ffffff"
ACCENT: dict[Tone, str] = {"plain": "#1f4e8c", "good": "#14603a", "attention": "#8a3a0a"}
_SIGNED = "\n\n-- \n"
FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


_PARAGRAPH = Markup('<p style="margin:0 0 16px">{}</p>\n')
_LINKED = Markup('{} <a href="{}" style="color:' + ACCENT["plain"] + '">{}</a>')


@dataclass(frozen=True)
class Closing:
    """What stands below a letter: paragraphs, an address with what it is for, paragraphs."""

    before: tuple[str, ...]
    link: tuple[str, str] | None
    after: tuple[str, ...]


def text_framed(text: str, greeting: str, closing: Closing) -> str:
    """The plain text with a greeting below its heading, and the closing above its footer."""
    heading, _, rest = text.partition("\n\n")
    body, _, footer = rest.rpartition(_SIGNED)
    link = ["\n".join(closing.link)] if closing.link else []
    below = [*map(_text, closing.before), *link, *map(_text, closing.after)]
    return "\n\n".join([heading, _text(greeting), body, *below]) + _SIGNED + footer


def html_framed(html: str, greeting: str, closing: Closing) -> str:
    """The same in HTML. The marks between which it goes stand once: every word on a sheet of ours is escaped."""
    link = [_LINKED.format(closing.link[0], *[closing.link[1]] * 2)] if closing.link else []
    below = "".join(str(_PARAGRAPH.format(each)) for each in [*closing.before, *link, *closing.after])
    head, mark, rest = html.partition("</h1>\n")
    body, end, footer = rest.rpartition("\n</main>")
    return head + mark + str(_PARAGRAPH.format(greeting)) + body + "\n" + below.rstrip("\n") + end + footer


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


def unwrapped(text: str) -> str:
    """The same with each paragraph in one line, for a place that wraps by itself."""
    lines: list[str] = []
    before = ""
    for line in text.split("\n"):
        if _goes_on(before, line):
            lines[-1] += " " + line.removeprefix("> ")
        else:
            lines.append(line)
        before = line
    return "\n".join(lines)


def _goes_on(before: str, line: str) -> bool:
    """Whether the break between these lines was made because the next word had no room."""
    quoted = before.startswith("> ") and line.startswith("> ")
    plain = before[:1].strip(" >=-") and line[:1].strip(" >=-")
    word = line.removeprefix("> ").partition(" ")[0]
    return bool(quoted or plain) and len(before) + 1 + len(word) > WIDTH


def _wrapped(text: str) -> Iterator[str]:
    for each in text.splitlines():
        yield from wrap(each, WIDTH - 2, break_long_words=False, break_on_hyphens=False).splitlines() or [""]


def as_html(subject: str, parts: Sequence[Filled], footer: str, *, tone: Tone) -> str:
    """A whole HTML document."""
    return _sheet(subject, parts, footer, ACCENT[tone])


def html_together(heading: str, intro: str, letters: Sequence[tuple[str, str]], footer: str) -> str:
    """Several letters as one HTML document, each below its subject as a heading of the second order."""
    inside = [(subject, Markup(_inside(html))) for subject, html in letters]
    return _sheet(heading, [intro], footer, ACCENT["plain"], inside)


def _inside(html: str) -> str:
    """What stands on a sheet of ours below its heading. Every word on it is escaped, so these marks stand once."""
    return html.partition("</h1>\n")[2].partition("\n</main>")[0]


def _sheet(
    subject: str,
    parts: Sequence[Filled],
    footer: str,
    accent: str,
    letters: Sequence[tuple[str, Markup]] = (),
) -> str:
    return _JINJA.get_template("letter.html").render(
        subject=subject, parts=[_part(each) for each in parts], footer=footer, accent=accent, letters=letters
    )


def _part(part: Filled) -> tuple[str, object]:
    """What kind of part it is, and what is in it."""
    match part:
        case Lines(rows):
            return "table", rows
        case Words(text):
            return "quote", text.split("\n")
        case _:
            return "paragraph", part


_JINJA = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_JINJA.globals.update(ink=INK, quiet=QUIET, rule=RULE, ground=GROUND, sheet=SHEET, font=Markup(FONT))
