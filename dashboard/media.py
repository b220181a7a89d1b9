"""Whose pictures are whose: what Streamlit serves below `/media/` goes to the session that it was drawn for.

Streamlit names such a file by its content and gives it to anyone who asks. Here each tab is tied to the session of ours
that it belongs to (`belongs`), and the gate asks whether one of the tabs of the asking session shows the file.
"""

from __future__ import annotations

import time
from threading import Lock

from anyio import sleep

PREFIX = "/media/"
MOST_TABS = 10_000
WAITS = 20  # a page that is being drawn again holds its files again within moments
PAUSE = 0.1  # seconds
REMEMBERED_FOR = 900.0  # seconds: a player asks again and again for parts of the same file

_tabs: dict[str, int] = {}
_granted: dict[tuple[int, str], float] = {}
_lock = Lock()


def belongs(tab: str, session_id: int) -> None:
    """This tab is drawn for this session of ours."""
    with _lock:
        _tabs.pop(tab, None)
        _tabs[tab] = session_id
        while len(_tabs) > MOST_TABS:
            del _tabs[next(iter(_tabs))]


async def may_fetch(path: str, session_id: int) -> bool:
    """Whether a tab of this session shows the file, or did a moment ago."""
    file = path.removeprefix(PREFIX).partition(".")[0]
    for _ in range(WAITS):
        if _shown(file, session_id):
            return True
        await sleep(PAUSE)
    return False


def _shown(file: str, session_id: int) -> bool:
    now = time.monotonic()
    with _lock:
        tabs = {tab for tab, owner in _tabs.items() if owner == session_id}
        if now - _granted.get((session_id, file), -REMEMBERED_FOR) < REMEMBERED_FOR:
            return True
    if tabs.isdisjoint(_tabs_with(file)):
        return False
    with _lock:
        if len(_granted) > MOST_TABS:
            _granted.clear()
        _granted[session_id, file] = now
    return True


def _tabs_with(file: str) -> set[str]:
    """The tabs whose page holds the file, by Streamlit's own list; there is no public way to ask."""
    from streamlit import runtime

    if not runtime.exists():
        return set()
    files = runtime.get_instance().media_file_mgr
    with files._lock:
        return {
            tab
            for tab, places in files._files_by_session_and_coord.items()
            if any(each.partition(".")[0] == file for each in places.values())
        }
