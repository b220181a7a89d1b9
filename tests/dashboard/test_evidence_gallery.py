"""The gallery of evidence: what outsiders wrote stays text, and opening is recorded once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.actions.cases import evidence
from core.actions.staff import sessions
from core.config import Settings
from core.db import Database
from core.desk import Desk
from core.gateways.evidence_store import EvidenceStore
from core.records import Staff
from core.records.people import StaffRole
from core.rules.permissions import Actor, Role
from dashboard import request_context
from tests import patience
from tests.gateways.evidence_builders import docx, pdf, picture
from tests.parties import a_kitchen

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOSTILE = "![pixel](https://evil.test/p.png) <img src=x onerror=alert(1)> :red[hot]"


@dataclass(frozen=True)
class Row:
    id: int
    kind: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    caption: str
    uploader: str
    uploader_role: str
    at: datetime
    taken_at: datetime | None = None
    opened_at: datetime | None = None


@dataclass
class Lab:
    desk: Desk
    actor: Actor
    rows: list[Row]
    token: str

    def page(self) -> AppTest:
        app = AppTest.from_function(
            show, args=(self.desk, self.actor, self.rows), default_timeout=patience.SECONDS
        )
        app.session_state["desk:token"] = self.token
        return app

    def entries(self) -> list[str]:
        with self.desk.database.reading() as session:
            return list(
                session.scalars(
                    text(
                        "select action from audit_entries where actor_kind = 'staff'"
                        " and object_kind <> 'staff_session' order by id"
                    )
                )
            )


def show(desk, actor, rows):  # type: ignore[no-untyped-def] # run as a page of its own, without our imports
    from dashboard.ui import evidence as shown

    shown.gallery(desk, actor, rows, key="ev")


@pytest.fixture
def lab(database: Database, owner: Database, tmp_path: Path) -> Lab:
    kitchen, store = a_kitchen(owner), EvidenceStore(tmp_path)
    staff = Staff(issuer="i", subject="s", name="Mara", email="m@example.org", skills=[], created_at=NOW)
    with owner.transaction() as session:
        session.add(staff)
    nothing = cast(Any, None)
    desk = Desk(Settings(), database, database, nothing, store, nothing, lambda: NOW)
    files = {
        "photo.jpg": picture(),
        "report.pdf": pdf(3),
        "note.txt": HOSTILE.encode(),
        "quote.docx": docx(),
    }
    rows = []
    for name, content in files.items():
        one = database.run(
            lambda session, name=name, content=content: evidence.submit(
                session,
                Actor("party", kitchen.payer),
                now=NOW,
                store=store,
                milestone_id=kitchen.milestone,
                file_name=name,
                content=content,
                caption=HOSTILE,
            )
        )
        known = (one.id, one.kind, one.file_name, one.media_type, one.size_bytes, one.sha256, one.caption)
        rows.append(Row(*known, HOSTILE, "PAYER", NOW))
    with owner.transaction() as session:
        session.add(StaffRole(staff_id=staff.id, role="mediator"))
    token = database.run(lambda session: sessions.sign_in(session, staff_id=staff.id, now=NOW))
    request_context.use(desk)
    return Lab(desk, Actor("staff", staff.id, frozenset({Role.MEDIATOR})), rows, token)


def buttons(page: AppTest) -> set[str | None]:
    return {button.key for button in page.button}


def test_a_case_without_evidence_says_so(lab: Lab) -> None:
    page = replace(lab, rows=[]).page().run()
    assert not page.exception
    assert "No evidence yet" in everything(page)


def test_every_piece_has_a_card_and_nothing_counts_as_opened(lab: Lab) -> None:
    page = lab.page().run()
    assert not page.exception
    assert buttons(page) == {f"ev-open-{row.id}" for row in lab.rows}
    assert lab.entries() == []


def test_what_outsiders_wrote_never_becomes_markup(lab: Lab) -> None:
    page = lab.page().run()
    for row in lab.rows:
        page.button(f"ev-open-{row.id}").click().run()
        assert not page.exception
        shown = everything(page)
        assert "<img src=x" not in shown
        assert "&lt;img src=x onerror=alert(1)&gt;" in shown
        assert "evil.test" not in "".join(str(part.value) for part in page.markdown)


def test_opening_is_recorded_once_however_often_the_page_runs_again(lab: Lab) -> None:
    first = lab.rows[0]
    page = lab.page().run()
    page.button(f"ev-open-{first.id}").click().run()
    page.run()
    page.run()
    assert lab.entries() == ["mediator:evidence:open"]
    page.button(f"ev-close-{first.id}").click().run()
    page.button(f"ev-open-{first.id}").click().run()
    assert lab.entries() == ["mediator:evidence:open"] * 2


def test_two_pieces_stand_beside_each_other_and_close_one_by_one(lab: Lab) -> None:
    photo, report = lab.rows[0].id, lab.rows[1].id
    page = lab.page().run()
    page.button(f"ev-open-{photo}").click().run()
    page.button(f"ev-beside-{report}").click().run()
    assert {f"ev-close-{photo}", f"ev-close-{report}"} <= buttons(page)
    page.button(f"ev-close-{photo}").click().run()
    assert f"ev-close-{photo}" not in buttons(page)
    assert f"ev-close-{report}" in buttons(page)


def test_a_text_is_shown_as_it_is_written(lab: Lab) -> None:
    page = lab.page().run()
    page.button(f"ev-open-{lab.rows[2].id}").click().run()
    assert HOSTILE in [code.value for code in page.code]


def test_a_damaged_file_says_so_and_the_rest_stays_in_reach(lab: Lab) -> None:
    first = lab.rows[0]
    (path,) = (lab.desk.evidence.folder).rglob(first.sha256)
    path.write_bytes(b"x")
    page = lab.page().run()
    page.button(f"ev-open-{first.id}").click().run()
    assert not page.exception
    assert "altered or damaged" in page.error[0].value
    assert lab.entries() == []
    page.button(f"ev-open-{lab.rows[1].id}").click().run()
    assert lab.entries() == ["mediator:evidence:open"]


def test_somebody_without_the_permission_sees_no_piece(lab: Lab) -> None:
    stranger = replace(lab, actor=Actor("staff", lab.actor.id, frozenset()))
    page = stranger.page().run()
    page.button(f"ev-open-{lab.rows[0].id}").click().run()
    assert not page.exception
    assert "You may not" in page.error[0].value.replace("\\", "")
    assert stranger.entries() == []


def everything(page: AppTest) -> str:
    """All HTML of the page."""
    return "".join(str(part.proto.body) for part in page.get("html"))
