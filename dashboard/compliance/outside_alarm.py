"""Checkpoints that do not get outside: said on every page that speaks of the record, until a person has seen to it; and
where they lie."""

from __future__ import annotations

import streamlit as st

from core.audit import outside, outside_places, timestamps
from core.audit.outside import Place, Standing
from core.audit.pinned_keys import ledger_name
from core.queries import health
from dashboard import request_context
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.safe import plain

WORDS = {"folder": "Folder", "bucket": "Bucket", "mail": "E-mail", "timestamps": "Timestamp authority"}


def show() -> None:
    settings, now = request_context.desk().settings, request_context.now()
    places = outside_places.places(settings)
    with request_context.reading() as session:
        found = health.checkpoints_outside(session, settings.home, places, now=now)
    for each in found:
        if not each.ok:
            what = (
                "Checkpoints do not get outside" if each.part != health.OUTSIDE["timestamps"] else each.part
            )
            st.error(f"**{what}:** {plain(each.words)}.", icon=":material/cloud_off:")


def section() -> None:
    """Each place: what it has, what it does not, and when it last took or refused one."""
    settings, now = request_context.desk().settings, request_context.now()
    header.section("Checkpoints outside", "Where each signed checkpoint goes besides the home of the desk.")
    places = outside_places.places(settings)
    if not places:
        cards.note(f"Checkpoints: {health.NO_PLACE}.")
        return
    folder = settings.home / "checkpoints"
    with request_context.reading() as session:
        ledger = ledger_name(session)
    rows = [_row(each, outside.standing(folder, ledger, each)) for each in places]
    columns = [
        tables.text("where", "Place"),
        tables.text("name", "Address"),
        tables.text("state", "State"),
        tables.text("seal", "Up to seal"),
        tables.count("missing", "Not there yet"),
        tables.text("written", "Last written"),
        tables.text("failed", "Last failure"),
    ]
    tables.small(rows, columns, name="Checkpoints outside")
    if stamp := timestamps.newest(folder, ledger):
        at = timestamps.time_said(stamp)
        when = f"{deadlines.exact(at)}, {deadlines.ago(at, now)}" if at else "a time that cannot be read"
        cards.note(
            f"The last timestamp: seal #{stamp.n:,} existed at {when}. Verify checks every one of them."
        )


def _row(place: Place, found: Standing) -> dict[str, object]:
    state = "Failing" if found.wrong else "Late" if found.late(place.every, request_context.now()) else "Well"
    return {
        "where": WORDS[place.kind],
        "name": place.name,
        "state": state,
        "seal": f"#{found.n:,}" if found.n else "None yet",
        "missing": found.missing,
        "written": deadlines.exact(found.written_at) if found.written_at else "Never",
        "failed": deadlines.exact(found.failed_at) if found.failed_at else "Never",
    }
