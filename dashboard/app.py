"""The script that Streamlit runs for every page: who is here, where they want to go, and then that page."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from dashboard import account, navigation, request_context, search
from dashboard.ui import confirm, style, text_fields

st.set_page_config(page_icon=account.ICON, layout="wide", initial_sidebar_state="auto")
signed_in = request_context.arrive()
style.apply()
page = navigation.choose(signed_in.actor)
navigation.keep_address()
st.set_page_config(page_title=f"{page.title} · Escrow Desk")
account.show(signed_in)
account.watch()
account.listen()
text_fields.listen()
search.button()
if navigation.group(page) == "Money":
    from dashboard.finance import client_funds

    client_funds.banner()
with suppress(navigation.PageEnds):
    page.run()
confirm.forget_unused()
