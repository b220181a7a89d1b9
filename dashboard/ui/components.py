"""Our own pieces of a page that need code in the browser: keys, zoom, marks. Each is a file of JavaScript in `live/`.

They are served as files of our own origin, so the content security policy needs no exception for them, and they get
data, never markup: what outsiders wrote is put into the page as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

FOLDER = Path(__file__).resolve().parent
PACKAGE = "escrow-desk"


def mount(name: str, *, key: str, data: Mapping[str, Any], triggers: tuple[str, ...]) -> dict[str, Any]:
    """Put `live/{name}.js` into the page. Returns what its triggers say in this run, by trigger; None is nothing."""
    full = f"{PACKAGE}.{name}"
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(full) is None:
        manifest = ComponentManifest(PACKAGE, "1", [ComponentConfig(name, "live")])
        manager.register_from_manifest(manifest, FOLDER)
    draw = st.components.v2.component(full, js=f"{name}.js", html="<div></div>", isolate_styles=False)
    st.html(_styles(name))
    listening: dict[str, Any] = {f"on_{trigger}_change": _heard for trigger in triggers}
    said = draw(key=key, data=dict(data), **listening)
    return {trigger: getattr(said, trigger, None) for trigger in triggers}


@cache
def _styles(name: str) -> str:
    return f"<style>{(FOLDER / 'live' / f'{name}.css').read_text(encoding='utf-8')}</style>"


def _heard() -> None:
    """Streamlit wants a callback for each trigger; the value is read where the piece was drawn."""
