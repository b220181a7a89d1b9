"""JSON on a page: as text, in which nothing is interpreted."""

from __future__ import annotations

import json

import streamlit as st

from core.rules.masking import masked_json
from dashboard.ui.safe import words_of

LONGEST = 100_000  # characters


def body(document: object) -> None:
    """What was received or sent, for a page that shows nobody's data."""
    st.caption("Body. Names, addresses and words are masked here; what was received or sent has them.")
    masked(document)


def masked(document: object) -> None:
    """With masks for whatever may say who somebody is or what they wrote."""
    words = json.dumps(masked_json(document), indent=2, ensure_ascii=False)
    st.code(words_of(words, longest=LONGEST), language="json", wrap_lines=True)
