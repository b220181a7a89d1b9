"""Visiting a page as someone of the staff, in a town from `tests.builders`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core.actions.staff import sessions
from core.gateways.evidence_store import EvidenceStore
from dashboard import background_job, navigation, request_context, server
from dashboard.background_job import Work
from tests import patience
from tests.builders import Town
from tests.desk_fixtures import a_desk

# Each AppTest asks every installed package whether it brings components; the answer does not change within a run.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def serve(town: Town, home: Path) -> None:
    """This process's dashboard serves the town's desk, at the town's time, with an evidence store under `home`."""
    desk = a_desk(town.database, home, clock=lambda: town.now, demo=True, stripe_api_key="sk_test_x")
    request_context.use(replace(desk, evidence=EvidenceStore(home)))


def visit(town: Town, subject: str, page: str, /, **params: Any) -> AppTest:
    """The page as this person sees it: signed in just now, `params` in the address."""
    token = town.database.run(
        lambda session: sessions.sign_in(session, staff_id=town.staff[subject], now=town.now)
    )
    app = AppTest.from_file(server.SCRIPT, default_timeout=patience.SECONDS)
    app.session_state["desk:token"] = token
    app.switch_page(str(navigation.SCRIPTS / f"{page}.py"))
    for name, value in params.items():
        app.query_params[name] = str(value)
    app.run()
    assert not app.exception, [each.value for each in app.exception]
    return app


def work(app: AppTest, key: str) -> Work[Any]:
    """What this visitor's sign-in has begun beside the page."""
    return background_job.kept(app.session_state["desk:token"], key)


def words(app: AppTest) -> str:
    """Everything that can be read on the page, without the marks that keep outsiders' words harmless, and without the
    rows that are there for paper only."""
    kinds = (
        app.title, app.subheader, app.html, app.caption, app.markdown, app.text, app.warning, app.error, app.info,
        app.success,
    )  # fmt: skip
    read = (str(each.value) for kind in kinds for each in kind)
    return " ".join(each for each in read if not each.startswith('<div class="ed-paper">')).replace("\\", "")


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]
