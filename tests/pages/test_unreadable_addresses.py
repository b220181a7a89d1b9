"""An address that asks for what a page does not know says so; it never shows everything instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.db import Database
from core.money import Money
from core.rules.permissions import Permission, allowed
from dashboard import navigation
from dashboard.ui import paging
from tests import builders
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit, words

UNREADABLE = [
    ("bank_statements", "account", "nothing"),
    ("bank_statements", "format", "PDF"),
    ("bank_statements", "before", "abc"),
    ("bank_statements", "bank-tab", "Nothing"),
    ("documents", "party", "x"),
    ("documents", "kind", "nothing"),
    ("documents", "days", "yesterday"),
    ("marketplace_statement", "year", "MMXXVI"),
    ("marketplace_statement", "platform", "nowhere"),
    ("marketplace_statement", "of", "nothing"),
    ("journals", "milestone", "M17x"),
    ("journals", "kind", "nothing"),
    ("journals", "currency", "XXX"),
    ("journals", "days", "yesterday"),
    ("journals", "before", "abc"),
    ("trial_balance", "line", "nothing"),
    ("trial_balance", "currency", "XXX"),
    ("trial_balance", "at", "yesterday"),
    ("periods", "id", "x"),
    ("trial_balance", "beside", "2026-13-01"),
    ("financial_statements", "report", "cash-flow"),
    ("financial_statements", "days", "yesterday"),
    ("financial_statements", "beside", "never"),
    ("financial_statements", "currency", "XXX"),
    ("account", "until", "never"),
    ("fees", "period", "8"),
    ("fees", "by", "week"),
    ("fees", "currency", "XXX"),
    ("payouts", "status", "NOTHING"),
    ("payouts", "id", "abc"),
    ("operations", "status", "NOTHING"),
    ("operations", "id", "1 or 1"),
    ("reconciliation", "id", "abc"),
    ("reconciliation", "break", "abc"),
    ("reconciliation", "break-status", "NOTHING"),
    ("reconciliation", "class", "NOTHING"),
    ("reconciliation", "owner", "somebody"),
    ("reconciliation", "iso", "XXX"),
    ("reconciliation", "age", "2"),
    ("reconciliation", "least", "much"),
    ("reconciliation", "breaks-page", "two"),
    ("chargebacks", "status", "NOTHING"),
    ("chargebacks", "id", "-1"),
    ("projects", "status", "NOTHING"),
    ("projects", "disputed", "maybe"),
    ("project", "id", "abc"),
    ("case", "id", "abc"),
    ("journal", "id", "abc"),
    ("entry", "id", "abc"),
    ("disputes", "view", "nothing"),
    ("disputes", "after", "abc"),
    ("disputes", "before", "1.2.3"),
    ("disputes", "after", "99999999999999999999.1"),
    ("disputes", "before", "-1"),
    ("case", "tab", "Nothing"),
    ("case", "show", "Nothing"),
    ("case", "public", "maybe"),
    ("payouts", "payouts-tab", "Nothing"),
    ("operations", "operations-tab", "Nothing"),
    ("audit", "show", "Nothing"),
    ("holds", "page", "abc"),
    ("approvals", "page", "0"),
    ("projects", "page", "two"),
    ("holds", "state", "NOTHING"),
    ("holds", "milestone", "abc"),
    ("holds", "id", "abc"),
    ("people", "as", "nobody"),
    ("people", "state", "nothing"),
    ("approvals", "id", "abc"),
    ("audit", "role", "nobody"),
    ("audit", "when", "soon"),
    ("audit", "entry", "abc"),
    ("registers", "register", "Nothing"),
    ("registers", "days", "yesterday"),
    ("registers", "case", "D-x"),
    ("registers", "milestone", "abc"),
    ("registers", "project", "abc"),
    ("registers", "intent", "NOTHING"),
    ("registers", "decision", "EXECUTED"),
    ("registers", "before-intents", "abc"),
    ("policy", "currency", "XXX"),
]


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def test_what_cannot_be_read_is_said_and_nothing_is_shown(town: Town) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    for page, key, asked in UNREADABLE:
        around: dict[str, object] = {"id": told.case, "tab": "Timeline"} if page == "case" else {}
        app = visit(town, "ada", page, **(around | {key: asked}))
        seen = words(app)
        assert f"“{asked}” is not a valid value for" in seen, (page, key)
        assert "until then nothing is shown" in seen, (page, key)
        assert not app.dataframe or page == "trial_balance", (page, key)


def test_taking_it_away_shows_the_page(town: Town) -> None:
    builders.funded(town)
    app = visit(town, "fay", "journals", kind="nothing")
    assert "Every kind: nothing" in " ".join(labels(app)).replace("\\", "")
    app.button(key="kind:unread").click().run()
    assert "kind" not in app.query_params
    assert len(app.dataframe[0].value) > 0


def test_a_milestone_that_is_typed_and_is_no_number_is_said_beside_its_field(town: Town) -> None:
    builders.funded(town)
    app = visit(town, "fay", "journals")
    app.text_input(key="milestone").set_value("M-x").run()
    assert "“M-x” is not a valid value for “Milestone”" in words(app)
    assert not app.dataframe
    app.text_input(key="milestone").set_value("").run()
    assert len(app.dataframe[0].value) > 0


def test_what_hostile_words_ask_for_is_shown_as_words_and_cut(town: Town) -> None:
    app = visit(town, "fay", "payouts", status="![x](http://evil.example)" + "x" * 5_000)
    assert "![x](" not in " ".join(each.value for each in app.warning)
    assert len(app.warning[0].value) < 400


@pytest.mark.parametrize("page", ["holds", "approvals", "projects"])
def test_a_page_beyond_the_last_is_the_last_and_that_is_said(town: Town, page: str) -> None:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    builders.decided(town, told)
    app = visit(town, "ada", page, page=9)
    assert "There is no page 9. This is the last, page 1." in words(app)
    assert "page" not in app.query_params
    app.run()
    assert "There is no page" not in words(app)


def test_of_several_pages_the_last_is_shown(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        builders.funded(town)
    monkeypatch.setattr(paging, "SIZE", 2)
    app = visit(town, "ada", "projects", page=9)
    assert "There is no page 9. This is the last, page 2." in words(app)
    assert app.query_params["page"] in ("2", ["2"])
    assert len(app.dataframe[0].value) == 1


def test_a_link_asks_for_what_a_filter_of_the_page_before_is_called_too(town: Town) -> None:
    builders.funded(town)
    app = visit(town, "ada", "disputes", platform="home_services")
    app.switch_page(str(navigation.SCRIPTS / "marketplace_statement.py"))
    app.query_params["platform"] = "legal_services"
    app.run()
    assert "Nothing moved" in words(app)
    app.switch_page(str(navigation.SCRIPTS / "disputes.py"))
    app.query_params["platform"] = "nowhere"
    app.run()
    assert "“nowhere” is not a valid value for" in words(app)


@pytest.mark.parametrize(
    ("page", "asked", "said"),
    [
        (
            "account",
            {"code": "held:99999", "iso": "USD"},
            "There is no milestone 99999, or you may not see it.",
        ),
        ("account", {"code": "payee_payable:99999", "iso": "USD"}, "There is no party 99999, or you may not"),
        ("bank_changes", {"id": 99999}, "Change 99999 is not among these."),
        ("bank_statements", {"id": 99999}, "There is no bank statement 99999"),
        ("case", {"id": 99999}, "There is no case D-99999"),
        ("chargebacks", {"id": 99999}, "There is no chargeback 99999"),
        ("entry", {"id": 99999}, "There is no entry 99999"),
        ("holds", {"id": 99999}, "There is no hold H-99999."),
        ("journal", {"id": 99999}, "There is no journal 99999"),
        ("manual_journals", {"id": 99999}, "There is no manual journal 99999"),
        ("operations", {"id": 99999}, "There is no operation 99999"),
        ("party_statement", {"id": 99999}, "There is no party 99999"),
        ("payouts", {"id": 99999}, "There is no payout 99999"),
        ("people", {"id": 99999}, "There is no member of staff 99999."),
        ("periods", {"id": 99999}, "There is no period 99999"),
        ("personal_data", {"id": 99999}, "There is no party 99999"),
        ("project", {"id": 99999}, "There is no project P-99999"),
        ("receivables", {"payee": 99999}, "There is no open debt of payee #99999."),
        ("reconciliation", {"break": 99999}, "There is no break 99999"),
        ("reconciliation", {"id": 99999}, "There is no reconciliation run 99999"),
        ("reconciliation", {"payout": "po_none"}, "There is no payout of the platform po_none"),
        ("reconciliation", {"suspense": 99999}, "There is no suspense item 99999"),
        ("t_accounts", {"id": 99999}, "There is no milestone 99999"),
    ],
)
def test_an_object_that_is_not_there_is_named(
    town: Town, page: str, asked: dict[str, object], said: str
) -> None:
    who = next(name for name in ("fay", "cora", "ada") if allowed(town.as_staff(name), permission_of(page)))
    assert said in words(visit(town, who, page, **asked))


def permission_of(page: str) -> Permission:
    return navigation.on_disk()[page].permission
