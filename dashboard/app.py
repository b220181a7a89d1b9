"""The script that Streamlit runs for every page: who is here, where they want to go, and then that page."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from dashboard import masks, navigation, request_context, search, signed_in
from dashboard.ui import confirm, style, text_fields

st.set_page_config(page_icon=signed_in.ICON, layout="wide", initial_sidebar_state="auto")
person = request_context.arrive()
style.apply()
page = navigation.choose(person.actor)
navigation.keep_address()
request_context.shows(page.url_path)
st.set_page_config(page_title=f"{page.title} · Escrow Desk")
signed_in.show(person)
signed_in.watch()
signed_in.listen()
text_fields.listen()
search.button()
masks.begin()
if navigation.group(page) == "Money":
    from dashboard.finance import client_funds

    client_funds.banner()
with suppress(navigation.PageEnds):
    page.run()
masks.button()
confirm.forget_unused()
