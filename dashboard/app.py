"""The script that Streamlit runs for every page: who is here, where they want to go, and then that page."""

from __future__ import annotations

import streamlit as st

from dashboard import account, current, navigation
from dashboard.ui import style

st.set_page_config(page_title="Escrow Desk", page_icon=account.ICON, layout="wide", initial_sidebar_state="expanded")
signed_in = current.arrive()
style.apply()
page = navigation.choose(signed_in.actor)
account.show(signed_in)
account.watch()
page.run()
