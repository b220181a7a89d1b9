"""The Streamlit application: server, sign-in, navigation and the kit that pages are built from."""
