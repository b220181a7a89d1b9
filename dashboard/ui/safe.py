"""Text that outsiders wrote, made harmless where a Streamlit element would interpret it.

Markdown loads remote images, so a name such as `![](https://…)` in a title would tell its author that the desk
looked. `st.text`, `st.code` and table cells interpret nothing and need none of this.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from html import escape

from core.rules.display_limits import bounded
from core.rules.masking import MASK, masks_in

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:^=&])")
LONGEST = 40_000  # characters of one piece of text on a page
_NOTHING = "\u200b"
_ADDRESS = re.compile(r"://|(?<=www)\.|@", re.IGNORECASE)
# Whose masks were drawn in this run, by number: they can be revealed (`dashboard.masks`).
MASKS_MET: ContextVar[dict[int, str] | None] = ContextVar("masks_met", default=None)
_WHOLE_WORDS = re.compile(r"[^\W_]+(?:[-_./ ][^\W_]+)*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """The same words for a markdown element: every mark of markdown, HTML and Streamlit's own loses its meaning.

    An address becomes no link either: a zero-width space stands before its `://`, `.` or `@`.
    """
    words = _ADDRESS.sub(rf"{_NOTHING}\g<0>", _CONTROL.sub("", words_of(text)))
    return _MARKS.sub(r"\\\1", words).replace("\n", " ")


def says_itself(text: str) -> bool:
    """Whether a label, which is markdown on the screen and is read out as it is, can have these words as they are."""
    return _WHOLE_WORDS.fullmatch(text) is not None and not _ADDRESS.search(text)


def html(text: object) -> str:
    """The same words for HTML of our own, in text or in a quoted attribute. Marks that reorder text are dropped."""
    return escape(_CONTROL.sub("", words_of(text)), quote=True)


def words_of(text: object, *, longest: int = LONGEST) -> str:
    """The same words, bounded: for `st.text` and `st.code`, which interpret nothing but show whatever there is."""
    words = str(text)
    if (met := MASKS_MET.get()) is not None and MASK in words:
        met |= masks_in(words)
    return bounded(words, longest=longest)
