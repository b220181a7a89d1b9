"""A callback runs to its end, whatever is pressed next.

Streamlit 1.67 takes what was pressed, runs the callbacks, and then the page; a request that arrives meanwhile ends the
run at its next touch of the session state. That is right for the page, which is drawn again. For what was pressed it
is not: before the widgets' values are taken, and at the first line of a callback, the press is gone with the run. So
no request is looked at until the callbacks have returned; Streamlit itself looks right after them.
`runner.fastReruns = false` (`.streamlit/config.toml`) is the other half: a run that has not begun is joined with the
next one instead of being dropped.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from streamlit.runtime.state.safe_session_state import SafeSessionState


def run_to_their_end() -> None:
    """For this process, once. A version of Streamlit that does otherwise fails `tests/dashboard/test_callbacks.py`."""
    take = SafeSessionState.on_script_will_rerun
    if hasattr(take, "__wrapped__"):
        return

    @wraps(take)
    def whole(state: SafeSessionState, *args: Any, **kwargs: Any) -> None:
        runner = getattr(state._yield_callback, "__self__", None)
        if runner is None:
            take(state, *args, **kwargs)
            return
        runner._execing = False  # nothing is looked at outside an execution
        try:
            take(state, *args, **kwargs)
        finally:
            runner._execing = True

    SafeSessionState.on_script_will_rerun = whole  # type: ignore[method-assign, assignment]
