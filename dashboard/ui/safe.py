"""Text that outsiders wrote, made harmless where a Streamlit element would interpret it.

Markdown loads remote images, so a name such as `![](https://…)` in a title would tell its author that the desk
looked. `st.text`, `st.code` and table cells interpret nothing and need none of this.
"""

from __future__ import annotations

import re
from html import escape

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:^=&])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """The same words for a markdown element: every mark of markdown, HTML and Streamlit's own loses its meaning."""
    return _MARKS.sub(r"\\\1", _CONTROL.sub("", str(text))).replace("\n", " ")


def html(text: object) -> str:
    """The same words for HTML of our own, in text or in a quoted attribute. Marks that reorder text are dropped."""
    return escape(_CONTROL.sub("", str(text)), quote=True)
