"""Two presses at once are two presses: the second may end the run of the first, and takes nothing from it."""

from __future__ import annotations

import pytest
from streamlit import config
from streamlit.runtime.scriptrunner import RerunData
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.testing.v1 import AppTest

from core.config import Settings
from dashboard import callbacks, server
from tests import patience


@pytest.fixture(autouse=True)
def as_served() -> None:
    callbacks.run_to_their_end()
    callbacks.run_to_their_end()  # a second time changes nothing


def page() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

    def first() -> None:
        context = get_script_run_ctx()
        assert context is not None
        assert context.script_requests is not None
        context.script_requests.request_rerun(RerunData())  # at this very moment something else is pressed
        st.session_state["opened"] = "The drawer"
        st.session_state["times"] = st.session_state.get("times", 0) + 1

    st.button("First", key="first", on_click=first)
    st.text(f"{st.session_state.get('opened')}, {st.session_state.get('times')}")


def pressed() -> str:
    app = AppTest.from_function(page, default_timeout=patience.SECONDS).run()
    app.button(key="first").click().run()
    assert not app.exception
    said: str = app.text[0].value
    return said


def test_a_press_during_a_callback_lets_the_callback_end() -> None:
    assert pressed() == "The drawer, 1"


def test_a_press_before_the_callback_lets_the_first_one_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = ScriptRequests.on_scriptrunner_ready
    followed: list[ScriptRequests] = []

    def then_another(self: ScriptRequests) -> object:
        request = ready(self)
        if self not in followed:
            followed.append(self)
            self.request_rerun(RerunData())
        return request

    monkeypatch.setattr(ScriptRequests, "on_scriptrunner_ready", then_another)
    assert pressed() == "The drawer, 1"


def test_a_run_that_has_not_begun_is_joined_with_the_next_press(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_main_script_path", None)
    server.configure(Settings(), 0)
    assert config.get_option("runner.fastReruns") is False
