"""Pictures of every page, light and dark, the important ones narrow as well: `make screenshots`.

By itself it starts a demo of its own (`scripts/screenshots_desk.py`), signs in as whoever works on a page, and leaves
small PNG files in docs/screenshots. `--at http://127.0.0.1:8600 --home .escrow-desk` takes them of a demo that runs.
"""

from __future__ import annotations

import argparse
import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import text

from core import logs
from core.config import Settings
from core.db import Database
from core.demo import settings_file
from core.rules.permissions import Role
from dashboard.navigation import ENTRIES
from scripts.screenshots_desk import a_studio
from tests.browser import arguments, find_browser

OUT = Path("docs/screenshots")
WIDE, NARROW = (1440, 900), (768, 1024)
SCHEMES = ("light", "dark")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
FAULT = "This page could not be shown"
COLOURS = 256
TALL = {"case": 1_200, "project": 1_100}  # so that the picture shows what the page is about

BY_ROLE = {
    Role.MEDIATOR: "disputes case projects project holds",
    Role.FINANCE: "overview held_funds trial_balance account financial_statements journals journal "
    "manual_journals periods t_accounts party_statement "
    "bank_statements documents marketplace_statement fees payouts bank_changes receivables chargebacks "
    "reconciliation operations",
    Role.COMPLIANCE: "audit entry registers personal_data checks",
    Role.ADMINISTRATOR: "approvals people policy api_access demo_clock",
}
ROLE_OF = {name: role for role, names in BY_ROLE.items() for name in names.split()}
ALSO_NARROW = frozenset(
    {"sign-in", "disputes", "case", "approvals", "overview", "trial-balance", "payouts", "audit"}
)

# What is worth a picture: each gives the id in the address, and for a case the name of its mediator.
WORTH = {
    "t_accounts": "select max(milestone_id) as id from payouts where status = 'PAID'",
    "party_statement": "select max(party_id) as id from payouts where status = 'PAID'",
    "case": """
        select t.id, s.name as person from cases t join staff s on s.id = t.mediator_id
        join milestones m on m.id = t.milestone_id
        where t.status = 'UNDER_REVIEW' and m.status = 'IN_MEDIATION'
          and not exists (select from decisions d where d.case_id = t.id)
          and not exists (select from holds h where h.milestone_id = m.id and h.released_at is null)
        order by least(3, (select count(*) from evidence e where e.milestone_id = m.id and e.kind = 'IMAGE')) desc,
                 (select count(*) from messages g where g.milestone_id = m.id) desc, t.id limit 1
    """,
    "project": """
        select p.id from projects p join milestones m on m.project_id = p.id
        group by p.id order by (count(distinct m.status) > 2) desc, count(*) desc, p.id limit 1
    """,
    "journal": "select id from journals where key like 'decision.%' order by id desc limit 1",
    "entry": "select id from audit_entries where action = 'mediator:decision:confirm' order by id desc limit 1",
}


NAMED = {"account": "?code=stripe_balance&iso=USD"}


@dataclass(frozen=True)
class Picture:
    """One page as one person sees it."""

    name: str
    path: str
    person: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", help="the address of a demo that runs; else one is started and thrown away")
    parser.add_argument("--home", type=Path, default=Path(".escrow-desk"), help="the home of that demo")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--scale", type=float, default=0.5, help="how many stories the demo is filled with")
    parser.add_argument("--only", nargs="*", help="these pages and no others")
    given = parser.parse_args()
    logs.set_up(logging.ERROR)
    given.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        address, database = stack.enter_context(_running(given) if given.at else a_studio(given.scale))
        wanted = [each for each in pictures(database) if not given.only or each.name in given.only]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments())
        for scheme in SCHEMES:
            for size in (WIDE, NARROW):
                for name, page in visits(browser, address, wanted, size, scheme):
                    width = "" if size == WIDE else f"-{size[0]}"
                    keep(given.out / f"{name}{width}-{scheme}.png", when_still(page))
        browser.close()


@contextmanager
def _running(given: argparse.Namespace) -> Iterator[tuple[str, Database]]:
    settings = settings_file.running(Settings(home=given.home, database_url=""))
    database = Database(settings.auditor_url, pool_size=1)
    yield given.at, database
    database.dispose()


def pictures(database: Database) -> list[Picture]:
    """Every page of the navigation, by whoever works on it."""
    with database.reading() as session:

        def ask(sql: str) -> Mapping[str, Any]:
            return dict(session.execute(text(sql)).mappings().one())

        first = """select s.name from staff s join staff_roles r on r.staff_id = s.id
                   where r.role = '{}' order by s.id limit 1"""
        people = {role: str(ask(first.format(role.value))["name"]) for role in Role}
        found = []
        for entry in ENTRIES:
            worth = ask(WORTH[entry.name]) if entry.name in WORTH else {}
            path = f"/{entry.name}" + (f"?id={worth['id']}" if worth else NAMED.get(entry.name, ""))
            found.append(
                Picture(
                    entry.name.replace("_", "-"), path, worth.get("person") or people[ROLE_OF[entry.name]]
                )
            )
    return [Picture("sign-in", "/sign-in", ""), *found]


def visits(
    browser: Browser, address: str, wanted: list[Picture], size: tuple[int, int], scheme: Any
) -> Iterator[tuple[str, Page]]:
    """Each page once; whoever is needed signs in once."""
    wanted = [each for each in wanted if size == WIDE or each.name in ALSO_NARROW]
    for person in dict.fromkeys(each.person for each in wanted):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        if person:
            page.goto(f"{address}/sign-in")
            page.get_by_role("button", name=person).first.click()
            page.wait_for_selector(IDLE)
        for each in (one for one in wanted if one.person == person):
            page.set_viewport_size({"width": size[0], "height": TALL.get(each.name, size[1])})
            page.goto(address + each.path)
            if person:
                page.wait_for_selector(IDLE)
            yield each.name, page
            if page.get_by_text(FAULT).count():
                raise SystemExit(f"{each.path} could not be shown to {person}: no picture of that is kept")
        context.close()


def when_still(page: Page, *, tries: int = 24) -> bytes:
    """The picture once nothing moves any more: grids and charts draw themselves after the script has ended."""
    look: Callable[[], bytes] = lambda: page.screenshot(animations="disabled", caret="hide")  # noqa: E731 (a name for it)
    page.mouse.move(0, 0)
    before, same = look(), 0
    for _ in range(tries):
        page.wait_for_timeout(250)
        now = look()
        same = same + 1 if now == before and not page.locator("[data-testid=stSkeleton]").count() else 0
        if same == 2:
            break
        before = now
    return before


def keep(path: Path, taken: bytes) -> None:
    """A palette is enough for a desk, and a third of the size."""
    with Image.open(io.BytesIO(taken)) as picture:
        small = picture.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
        small.save(path, optimize=True)
    print(path)


if __name__ == "__main__":
    main()
