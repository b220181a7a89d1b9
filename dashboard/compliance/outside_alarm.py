"""Checkpoints that do not get outside: said on every page that speaks of the record, until a person has seen to it."""

from __future__ import annotations

import streamlit as st

from core.queries import health
from dashboard import request_context
from dashboard.ui.safe import plain


def show() -> None:
    settings, now = request_context.desk().settings, request_context.now()
    with request_context.reading() as session:
        found = health.checkpoints_outside(session, settings.home, settings.outside_checkpoints, now=now)
    if not found.ok:
        st.error(f"**Checkpoints do not get outside:** {plain(found.words)}.", icon=":material/cloud_off:")
