"""JSON on a page: as text, in which nothing is interpreted."""

from __future__ import annotations

import json

import streamlit as st

from core.rules.masking import masked_json
from dashboard.ui.safe import words_of

LONGEST = 100_000  # characters


def masked(document: object) -> None:
    """With masks for whatever may say who somebody is or what they wrote."""
    words = json.dumps(masked_json(document), indent=2, ensure_ascii=False)
    st.code(words_of(words, longest=LONGEST), language="json", wrap_lines=True)
