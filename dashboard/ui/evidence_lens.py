"""A picture that can be looked at closely: zoomed and moved, beside another in step, with marks on its parts.

`picture` is always one that the desk drew itself. It is served as a file of this session, behind the same gate as the
page, and never as markup.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image
from streamlit import runtime

from core.errors import DeskError
from core.rules.evidence import Area, check_area
from dashboard.ui import components


class Marked(Protocol):
    """A note about a part of a picture or page."""

    @property
    def body(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def area(self) -> Area | None: ...
    @property
    def number(self) -> int: ...


@dataclass(frozen=True)
class LensView:
    """How a piece is looked at: under which keys, beside another or alone, and whether it may be marked."""

    key: str
    group: str
    pair: bool = False
    may_mark: bool = False
    notes: Sequence[Marked] = ()
    draft: Area | None = None


def show(picture: bytes, sight: LensView, *, alt: str, page: int | None = None) -> Area | None:
    """Draw it; returns the part that was marked just now."""
    kind = "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
    with Image.open(io.BytesIO(picture)) as opened:
        width, height = opened.size
    said = components.mount(
        "lens",
        key=f"{sight.key}-lens",
        data={
            "id": f"{sight.key}-{page or 0}",
            "group": sight.group,
            "src": _address(picture, kind),
            "alt": alt,
            "width": width,
            "height": height,
            "pair": sight.pair,
            "may_mark": sight.may_mark,
            "marks": _marks(sight, page),
        },
        triggers=("marked",),
    )
    return _area(said["marked"])


def _marks(sight: LensView, page: int | None) -> list[dict[str, Any]]:
    marks = [
        {"number": str(each.number), "note": each.body, "area": list(each.area)}
        for each in sight.notes
        if each.area and each.page == page
    ]
    draft = [{"number": "", "note": "", "area": list(sight.draft), "draft": True}] if sight.draft else []
    return marks + draft


def _area(said: Any) -> Area | None:
    """What the browser says is checked like anything that comes from outside."""
    if not (isinstance(said, list) and len(said) == 4 and all(isinstance(each, int) for each in said)):
        return None
    try:
        return check_area((said[0], said[1], min(said[2], 10_000 - said[0]), min(said[3], 10_000 - said[1])))
    except DeskError:
        return None


def _address(picture: bytes, kind: str) -> str:
    if not runtime.exists():
        return ""
    name = f"lens-{hashlib.sha256(picture).hexdigest()}"
    return str(runtime.get_instance().media_file_mgr.add(picture, kind, name))
