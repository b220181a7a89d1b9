"""A statement leads from its opening to its closing balance, month after month, and a milestone's T-accounts add up."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import text

from core import report_files
from core.db import Database
from core.errors import NotFound
from core.ledger.invariants import check
from core.money import Money
from core.policy import Platform
from core.queries import ledger, marketplace_entries, party_statements, yearly_statements
from core.queries.movements import FIRST, Period
from core.queries.party_statements import PartyNotNamed, PartyStatement
from core.queries.yearly_statements import Flow, Year
from dashboard.finance.marketplace_entries import OF
from tests import builders
from tests.builders import Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def of(town: Town, party: int, period: Period) -> PartyStatement:
    (found,) = town.read(lambda s: party_statements.statements(s, party, period))
    return found


def divided(town: Town) -> builders.Told:
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)
    return told


def test_a_payers_statement_begins_where_the_one_before_it_ended(town: Town) -> None:
    builders.funded(town)
    town.wait(days=40)
    divided(town)
    today = town.now.date()
    whole = of(town, town.payer_id, Period(FIRST, today))
    earlier = of(town, town.payer_id, Period(FIRST, today - timedelta(days=20)))
    later = of(town, town.payer_id, Period(today - timedelta(days=19), today))
    assert (earlier.closing, later.closing) == (later.opening, whole.closing)
    assert [*earlier.movements, *later.movements] == list(whole.movements)
    assert whole.opening.is_zero
    assert whole.movements[-1].balance == whole.closing
    nets = town.read(ledger.nets)
    lines = ("held", "deferred_platform_fee", "refund_payable")
    assert whole.closing == -Money.total(
        (nets[line, "USD"] for line in lines if (line, "USD") in nets), "USD"
    )


def test_a_payees_statement_shows_what_was_released_and_withdrawn(town: Town) -> None:
    divided(town)
    today = town.now.date()
    statement = of(town, town.payee_id, Period(FIRST, today))
    assert [each.amount for each in statement.movements] == [Money(20_000, "USD"), Money(-20_000, "USD")]
    assert statement.closing.is_zero


def test_nobody_has_no_statement(town: Town) -> None:
    with pytest.raises(NotFound):
        town.read(lambda s: party_statements.statements(s, 999, Period(FIRST, date(2026, 1, 1))))
    with pytest.raises(NotFound):
        town.read(lambda s: party_statements.party_of(s, "nobody"))
    assert town.read(lambda s: party_statements.statements(s, town.payer_id, Period(FIRST, FIRST))) == []


def test_the_t_accounts_of_a_milestone_balance(town: Town) -> None:
    told = divided(town)
    found = town.read(lambda s: party_statements.t_accounts(s, told.milestone))
    debits = [each.amount for account in found if "connected" not in account.code for each in account.debits]
    credits = [
        each.amount for account in found if "connected" not in account.code for each in account.credits
    ]
    assert Money.total(debits, "USD") + Money.total(credits, "USD") == Money.zero("USD")
    held = next(each for each in found if each.code == f"held:{told.milestone}")
    assert held.balance.is_zero
    assert len(held.credits) == 1


def test_both_are_pages(town: Town, tmp_path: Path) -> None:
    told = divided(town)
    serve(town, tmp_path)
    seen = words(visit(town, "fay", "t_accounts", id=told.milestone))
    assert "Client funds held" in seen
    assert f"/account?code=held:{told.milestone}" in seen
    assert "There is no milestone" in words(visit(town, "fay", "t_accounts", id=999))
    assert "No milestone is chosen" in words(visit(town, "fay", "t_accounts"))
    assert "Opening balance" in words(visit(town, "fay", "party_statement", id=town.payee_id))
    assert "not for your role" in words(visit(town, "mia", "party_statement", id=town.payee_id))
    assert "No party is named" in words(visit(town, "fay", "party_statement"))
    with pytest.raises(PartyNotNamed):
        town.read(lambda s: party_statements.party_of(s, " "))
    assert "There is no party 999" in words(visit(town, "fay", "party_statement", id=999)).replace("“", "")


DECEMBER = date(2026, 12, 31)
JOURNALS = text(
    f"""
    select j.kind, extract(month from j.posted_at at time zone 'UTC')::int as month, -sum(leg.amount)::bigint as minor
    from journals j cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
    join ({yearly_statements.OWN}) o on o.id = leg.account_id group by 1, 2 having sum(leg.amount) <> 0
    """
)


def of_year(town: Town, party: int) -> Year:
    (found,) = town.read(lambda s: yearly_statements.of_party(s, party, town.now.year, today=DECEMBER))
    return found


def test_a_year_leads_from_month_to_month_and_is_the_sum_of_its_flows(town: Town) -> None:
    divided(town)
    town.wait(days=40)
    builders.funded(town)
    payer, today = of_year(town, town.payer_id), town.now.date()
    assert all(
        before.closing == after.opening for before, after in zip(payer.months, payer.months[1:], strict=False)
    )
    whole = of(town, town.payer_id, Period(FIRST, today))
    assert payer.months[-1].closing == whole.closing
    march = next(each for each in payer.months if each.id.month == 3)
    month = of(town, town.payer_id, Period(date(2026, 3, 1), date(2026, 3, 31)))
    assert (march.opening, march.closing) == (month.opening, month.closing)
    assert Flow.OTHER not in payer.columns
    assert payer.total(Flow.PAID_IN) > Money.zero("USD") > payer.total(Flow.REFUNDED)


def test_a_year_that_is_not_over_ends_with_the_month_that_has_begun(town: Town) -> None:
    divided(town)
    today = date(2026, 5, 1)
    (payer,) = town.read(lambda s: yearly_statements.of_party(s, town.payer_id, 2026, today=today))
    (whole,) = town.read(
        lambda s: yearly_statements.of_marketplace(s, Platform.HOME_SERVICES, 2026, today=today)
    )
    assert [each.name for each in payer.months] == ["January", "February", "March", "April", "May"]
    assert [each.id for each in whole.months] == [each.id for each in payer.months]
    assert payer.months[-1].closing == of_year(town, town.payer_id).months[-1].closing


def test_a_marketplaces_year_is_the_sum_of_its_parties(town: Town) -> None:
    divided(town)
    builders.funded(town)
    (whole,) = town.read(
        lambda s: yearly_statements.of_marketplace(s, Platform.HOME_SERVICES, 2026, today=DECEMBER)
    )
    parts = [of_year(town, party) for party in (town.payer_id, town.payee_id)]
    for n, month in enumerate(whole.months):
        assert month.closing == Money.total((each.months[n].closing for each in parts), "USD")
        for flow in Flow:
            assert month.flow(flow) == Money.total((each.months[n].flow(flow) for each in parts), "USD")
    assert (
        town.read(
            lambda s: yearly_statements.of_marketplace(s, Platform.LEGAL_SERVICES, 2026, today=DECEMBER)
        )
        == []
    )
    (later,) = town.read(
        lambda s: yearly_statements.of_marketplace(s, Platform.HOME_SERVICES, 2027, today=DECEMBER)
    )
    assert {month.closing for month in later.months} == {whole.months[-1].closing}, "what stands, stands on"
    assert (
        town.read(lambda s: yearly_statements.of_marketplace(s, Platform.HOME_SERVICES, 2025, today=DECEMBER))
        == []
    )


def test_a_marketplaces_year_is_that_of_its_journals_before_and_after_a_roll_up(
    town: Town, owner: Database
) -> None:
    """It is read from totals by month, and from what is not rolled up yet."""

    def by_month() -> dict[int, dict[Flow, Money]]:
        (found,) = town.read(
            lambda s: yearly_statements.of_marketplace(s, Platform.HOME_SERVICES, 2026, today=DECEMBER)
        )
        return {month.id.month: dict(month.flows) for month in found.months if month.flows}

    def by_journal() -> dict[int, dict[Flow, Money]]:
        found: dict[int, dict[Flow, Money]] = {}
        for row in town.read(lambda s: s.execute(JOURNALS, {"platform": "home_services"}).all()):
            flow, flows = yearly_statements.OF.get(row.kind, Flow.OTHER), found.setdefault(row.month, {})
            flows[flow] = flows.get(flow, Money.zero("USD")) + Money(row.minor, "USD")
        return found

    divided(town)
    assert by_month() == by_journal()
    builders.roll_up(owner)
    assert by_month() == by_journal()
    town.wait(days=40)
    divided(town)
    assert len(by_month()) > 1
    assert by_month() == by_journal()
    builders.roll_up(owner)
    assert by_month() == by_journal()
    assert town.read(lambda s: check(s, "marketplace_totals_agree")) == []
    builders.funded(town)
    builders.roll_up(owner)
    (this,), (following,) = (
        town.read(
            lambda s, y=year: yearly_statements.of_marketplace(s, Platform.HOME_SERVICES, y, today=DECEMBER)
        )
        for year in (2026, 2027)
    )
    assert following.months[0].opening == this.months[-1].closing > Money.zero("USD")


def test_each_figure_of_a_marketplaces_year_is_the_sum_of_what_it_is_made_of(town: Town) -> None:
    divided(town)
    town.wait(days=40)
    builders.funded(town)
    platform, given = Platform.HOME_SERVICES, {"platform": Platform.HOME_SERVICES, "currency": "USD"}
    (whole,) = town.read(lambda s: yearly_statements.of_marketplace(s, platform, 2026, today=DECEMBER))
    for month in whole.months:
        last = (month.id + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        period = Period(month.id, last)
        for flow in Flow:
            entries = town.read(
                lambda s, flow=flow, period=period: marketplace_entries.entries(
                    s, flow=flow, period=period, **given
                )
            )
            assert Money.total((each.amount for each in entries), "USD") == month.flow(flow), (
                month.name,
                flow,
            )
        for at, figure in ((month.id - timedelta(days=1), month.opening), (last, month.closing)):
            standing = town.read(lambda s, at=at: marketplace_entries.balances(s, at=at, **given))
            assert Money.total((each.amount for each in standing), "USD") == figure


def test_each_figure_leads_to_a_page_of_what_it_is_made_of(town: Town, tmp_path: Path) -> None:
    divided(town)
    serve(town, tmp_path)
    shown = words(visit(town, "fay", "marketplace_statement"))
    ways = re.findall(r"/marketplace_statement\?([^\"]+)", html.unescape(shown))
    figures = len({dict(parse_qsl(way))["of"] for way in ways})
    assert len(ways) == (town.now.month + 1) * figures
    for way in ways[:figures] + ways[-figures:]:
        asked = dict(parse_qsl(way))
        said = words(visit(town, "fay", "marketplace_statement", **asked))
        assert "Above zero is theirs" in said
        assert f"Home services, USD: {OF[asked['of']].lower()}" in said
    assert f"/party_statement?id={town.payee_id}&amp;day=2026-03-01" in words(
        visit(town, "fay", "party_statement", id=town.payee_id, by="year")
    )


def test_a_years_files_say_what_the_screen_says(town: Town) -> None:
    divided(town)
    sheet = yearly_statements.sheet(of_year(town, town.payer_id))
    assert len(sheet.rows) == 13
    total = sheet.rows[-1].cells
    assert total[1] == "Year 2026"
    assert total[-1] == sheet.rows[-2].cells[-1]
    assert report_files.pdf([sheet]).startswith(b"%PDF")
    assert report_files.xlsx([sheet]).startswith(b"PK")


def test_a_marketplaces_statement_has_a_page(town: Town, tmp_path: Path) -> None:
    divided(town)
    serve(town, tmp_path)
    shown = words(visit(town, "fay", "marketplace_statement"))
    assert "Opening balance" in shown
    assert "By release and decision" in shown
    assert "Nothing moved" in words(visit(town, "fay", "marketplace_statement", platform="legal_services"))
    assert "not for your role" in words(visit(town, "mia", "marketplace_statement"))
    assert "Closing balance" in words(visit(town, "fay", "party_statement", id=town.payee_id, by="year"))


def test_documents_are_listed_and_one_is_opened(town: Town, tmp_path: Path) -> None:
    divided(town)
    serve(town, tmp_path)
    app = visit(town, "fay", "documents")
    numbers = ["HC-2026-000001", "HI-2026-000001", "HR-2026-000001"]
    assert list(app.dataframe[0].value["number"]) == numbers
    assert "Numbers given" in words(app)
    few = visit(town, "fay", "documents", kind="REFUND", party=town.payer_id, platform="home_services")
    assert list(few.dataframe[0].value["number"]) == ["HC-2026-000001"]
    assert len(visit(town, "fay", "documents", platform="legal_services").dataframe) == 0
    assert "not for your role" in words(visit(town, "mia", "documents"))
