"""The books on screen: both columns have one sum, and every register leads from its balance down to nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.actions.platform import opening_balances
from core.db import Database
from core.errors import DeskError, NotFound
from core.ledger import accounts, journal_store, postings
from core.ledger.accounts import CHART, AccountType
from core.ledger.invariants import check
from core.ledger.journals import Journal, Posting
from core.money import Money
from core.policy.profile import WithdrawalMethod
from core.queries import fee_breakdown, fees, journals, ledger, overview
from core.queries.fee_breakdown import FeeBy, FeeRow
from core.queries.journals import JournalFilter
from core.records import Charge, Payout
from core.rules.permissions import SYSTEM, NotPermitted
from tests import builders, kept_stories
from tests.builders import Told, Town


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@kept_stories.once
def divided(town: Town) -> Told:
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)
    return told


def test_each_sheet_of_the_trial_balance_has_one_sum_in_both_columns(town: Town) -> None:
    divided(town)
    builders.funded(town)
    sheets = town.read(ledger.sheets)
    assert {(each.currency, each.book) for each in sheets} >= {("USD", "platform")}
    assert all(each.difference.is_zero and each.debits.is_positive for each in sheets)


def test_an_empty_ledger_has_no_sheets(town: Town) -> None:
    assert town.read(ledger.sheets) == []


def test_the_accounts_of_a_line_sum_to_the_line_and_say_what_they_are_kept_for(town: Town) -> None:
    told = builders.funded(town, title="New kitchen")
    builders.funded(town)
    rows = town.read(lambda s: ledger.accounts_of(s, "held", "USD"))
    (line,) = [line for sheet in town.read(ledger.sheets) for line in sheet.lines if line.name == "held"]
    assert Money.total((row.credit for row in rows if row.credit), "USD") == line.credit
    assert rows[-1].code == f"held:{told.milestone}"
    assert rows[-1].what_for.endswith("New kitchen")


def test_accounts_are_paged_by_their_object_and_empty_ones_only_shown_on_demand(town: Town) -> None:
    first, second = builders.funded(town), builders.funded(town)
    top = town.read(lambda s: ledger.accounts_of(s, "held", "USD", limit=1))
    below = town.read(lambda s: ledger.accounts_of(s, "held", "USD", before=top[0].id, limit=1))
    assert [top[0].id, below[0].id] == [second.milestone, first.milestone]
    told = divided(town)
    shown = town.read(lambda s: ledger.accounts_of(s, "held", "USD"))
    everything = town.read(lambda s: ledger.accounts_of(s, "held", "USD", everything=True))
    assert told.milestone not in [row.id for row in shown]
    assert told.milestone in [row.id for row in everything]


@pytest.mark.parametrize("code", ["stripe_balance", "processor_fees", "platform_fee_revenue"])
def test_the_running_balance_goes_from_the_balance_down_to_nothing_over_pages(town: Town, code: str) -> None:
    for _ in range(3):
        divided(town)
    whole = town.read(lambda s: ledger.register(s, code, "USD", limit=1000))
    paged, before = [], None
    while page := town.read(lambda s, b=before: ledger.register(s, code, "USD", before=b, limit=2)):
        paged += page
        before = page[-1].id
    assert paged == whole
    assert whole[0].balance == town.read(lambda s: ledger.account(s, code, "USD")).balance
    oldest, zero = whole[-1], Money.zero("USD")
    moved = (oldest.debit or zero) - (oldest.credit or zero)
    grows = accounts.account_type(code).side is accounts.Side.DEBIT
    assert oldest.balance == (moved if grows else -moved)


@pytest.mark.parametrize("code", ["", "held", "held:0", "held:x", "stripe_balance:4", "nothing"])
def test_an_account_that_is_not_in_the_chart_is_refused(town: Town, code: str) -> None:
    with pytest.raises(DeskError):
        town.read(lambda s: ledger.account(s, code, "USD"))


def test_an_account_that_nothing_was_posted_to_is_empty(town: Town) -> None:
    told = builders.in_mediation(town)
    code = f"held:{told.milestone}"
    assert town.read(lambda s: ledger.account(s, code, "JPY")).balance.is_zero
    assert town.read(lambda s: ledger.register(s, code, "JPY")) == []


def test_there_is_no_account_of_a_milestone_that_is_not_there(town: Town) -> None:
    with pytest.raises(NotFound, match="no milestone 99999"):
        town.read(lambda s: ledger.account(s, "held:99999", "JPY"))


def test_journals_are_found_by_kind_account_milestone_period_and_words(town: Town) -> None:
    told, other = divided(town), builders.funded(town)

    def found(**filters: object) -> set[tuple[str, int | None]]:
        rows = town.read(lambda s: journals.page(s, JournalFilter(**filters)))  # type: ignore[arg-type]
        return {(row.kind, row.milestone_id) for row in rows}

    assert found(kind="decided") == {("decided", told.milestone)}
    assert found(account=f"held:{other.milestone}") == {("charge_settled", other.milestone)}
    assert {milestone for _, milestone in found(milestone_id=told.milestone)} == {told.milestone}
    assert found(words=f"charge.{other.milestone}.") == {("charge_settled", other.milestone)}
    assert found(words="Partly released") == {("decided", told.milestone)}
    assert found(since=town.now + timedelta(days=1)) == set()
    assert found(currency="JPY") == set()
    assert found(words="%") == set()
    with pytest.raises(DeskError):
        found(account="held:x")


def test_journals_are_paged_without_gap_or_repetition(town: Town) -> None:
    divided(town)
    whole = [row.id for row in town.read(lambda s: journals.page(s, JournalFilter(), limit=1000))]
    paged, before = [], None
    while page := town.read(lambda s, b=before: journals.page(s, JournalFilter(), before=b, limit=3)):
        paged += [row.id for row in page]
        before = page[-1].id
    assert paged == whole == sorted(whole, reverse=True)


def test_a_journal_names_its_case_its_call_and_its_balance_transaction(town: Town) -> None:
    told = divided(town)
    rows = town.read(lambda s: journals.page(s, JournalFilter(milestone_id=told.milestone)))
    decided = next(row.id for row in rows if row.kind == "decided")
    whole = town.read(lambda s: journals.journal(s, decided))
    debits, credits = whole.sums()
    assert debits == credits
    assert (whole.case_id, whole.milestone_id, whole.project_id) == (
        told.case,
        told.milestone,
        told.project,
    )
    charged = next(row.id for row in rows if row.kind == "charge_settled")
    whole = town.read(lambda s: journals.journal(s, charged))
    assert whole.operation is not None
    assert whole.transaction is not None
    assert whole.seal is None


def test_fees_are_the_balances_of_their_accounts(town: Town) -> None:
    divided(town)
    for step in fees.FeeInterval:
        (periods,) = town.read(
            lambda s, step=step: fees.periods(s, since=builders.NOW, until=town.now, step=step)
        ).values()
        total = fees.total(periods, "USD")
        for line, amount in (
            (accounts.PLATFORM_FEE_REVENUE, total.platform),
            (accounts.PROCESSING_FEE_RECOVERY, total.recovered),
            (accounts.FEE_VARIANCE, total.variance),
        ):
            assert amount == town.read(lambda s, line=line: ledger.account(s, line, "USD")).balance
        assert (
            total.net == total.platform + total.recovered + total.withdrawal - total.processor - total.borne
        )


@pytest.mark.parametrize("by", FeeBy)
def test_fees_broken_down_are_the_same_fees_and_each_row_is_its_postings(town: Town, by: FeeBy) -> None:
    divided(town)
    span = {"since": builders.NOW, "until": town.now}
    (periods,) = town.read(lambda s: fees.periods(s, step=fees.FeeInterval.MONTH, **span)).values()
    total = fees.total(periods, "USD")
    rows = town.read(lambda s: fee_breakdown.rows(s, by, currency="USD", **span))
    assert rows
    for name in ("platform", "recovered", "withdrawal", "processor", "borne", "net", "released"):
        parts = [getattr(row.fees, name) for row in rows]
        assert Money.total(parts, "USD") == getattr(total, name), name
    assert total.take_rate != "—"
    for row in rows:
        legs = town.read(lambda s, row=row: fee_breakdown.postings(s, by, row.id, currency="USD", **span))
        for line in fees.LINES:
            assert Money.total((leg.amount for leg in legs if leg.line == line), "USD") == row.fees.of(line)


@pytest.mark.parametrize("by", FeeBy)
def test_fees_broken_down_are_the_same_before_and_after_a_roll_up(
    town: Town, owner: Database, by: FeeBy
) -> None:
    """They are read from the fee totals, and from what is not rolled up yet."""
    divided(town)

    def broken_down() -> list[FeeRow]:
        span = {"since": builders.NOW, "until": town.now}
        return town.read(lambda s: fee_breakdown.rows(s, by, currency="USD", **span))

    def add_up() -> None:
        builders.roll_up(owner)
        assert town.read(lambda s: check(s, "fee_totals_agree", "daily_totals_agree")) == []

    before = broken_down()
    add_up()
    assert broken_down() == before
    divided(town)
    both = broken_down()
    sums = [Money.total((row.fees.platform for row in found), "USD").minor for found in (before, both)]
    assert sums[1] == 2 * sums[0] > 0
    add_up()
    assert broken_down() == both
    assert town.read(lambda s: s.execute(text("select count(*) from fee_totals")).scalar_one()) > 0


@pytest.mark.parametrize("by", [FeeBy.PROJECT, FeeBy.PAYER, FeeBy.PAYEE])
def test_fees_are_paged_without_gap_or_repetition(town: Town, owner: Database, by: FeeBy) -> None:
    """The latest first, whether their last entry is rolled up or not."""
    for number in range(5):
        divided(town)
        town.wait(days=number % 2)
        if number == 3:
            builders.roll_up(owner)
    span = {"since": builders.NOW - timedelta(days=1), "until": town.now}

    def read(before: int | None, limit: int | None) -> list[FeeRow]:
        return town.read(
            lambda s: fee_breakdown.rows(s, by, currency="USD", before=before, limit=limit, **span)
        )

    whole, paged, before = read(None, 100), [], None
    while page := read(before, 2):
        paged += page
        before = page[-1].position
    assert paged == whole
    assert len({row.id for row in whole}) == len(whole) == (5 if by is FeeBy.PROJECT else 1)
    places = [row.position for row in whole]
    assert places == sorted(places, reverse=True)
    filed = read(None, None)
    assert sorted(filed, key=lambda row: row.id) == sorted(whole, key=lambda row: row.id)
    sizes = [sum(abs(amount.minor) for amount in row.fees.amounts.values()) for row in filed]
    assert sizes == sorted(sizes, reverse=True), "the file has the largest first"


def test_fees_follow_a_method_that_is_told_late_or_changed(town: Town, owner: Database) -> None:
    """Also where they are rolled up already."""
    told = divided(town)
    (payout,) = town.read(lambda s: s.scalars(select(Payout)).all())
    parts = (Posting("stripe_balance", Money(7, "USD")), Posting("withdrawal_fee_revenue", Money(-7, "USD")))
    fee = Journal("fee", "withdrawal_fee_charged", parts, told.milestone, cause={"payout": str(payout.id)})
    town.database.run(lambda s: journal_store.post(s, fee, now=town.now))
    builders.roll_up(owner)
    span = {"since": builders.NOW, "until": town.now}

    def found(by: FeeBy) -> dict[str, int]:
        rows = town.read(lambda s: fee_breakdown.rows(s, by, currency="USD", **span))
        return {row.label: row.fees.recovered.minor + row.fees.withdrawal.minor for row in rows}

    paid, taken = found(FeeBy.PAYMENT_METHOD), found(FeeBy.METHOD)
    town.database.run(forget_methods)
    assert sorted(found(FeeBy.PAYMENT_METHOD).values()) == sorted(paid.values())
    assert not set(paid) & set(found(FeeBy.PAYMENT_METHOD))
    with town.database.transaction() as session:
        for payout in session.scalars(select(Payout)):
            payout.method = next(each for each in WithdrawalMethod if each != payout.method)
    (before, after) = (set(each) - {""} for each in (taken, found(FeeBy.METHOD)))
    assert sorted(found(FeeBy.METHOD).values()) == sorted(taken.values())
    assert len(before) == len(after) == 1
    assert before != after
    assert town.read(lambda s: check(s, "fee_totals_agree")) == []


@pytest.mark.parametrize("step", fees.FeeInterval)
def test_a_chart_of_fees_skips_no_day_and_no_month(town: Town, step: fees.FeeInterval) -> None:
    divided(town)
    span = {"since": town.now - timedelta(days=70), "until": town.now}
    (periods,) = town.read(lambda s: fees.periods(s, step=step, **span)).values()
    every = fees.filled(periods, "USD", step=step, **span)
    begins = [each.begins for each in every]
    assert begins == sorted(set(begins))
    assert len(begins) == (71 if step is fees.FeeInterval.DAY else 4)
    assert fees.total(every, "USD").net == fees.total(periods, "USD").net


def test_what_a_payment_cost_stands_beside_its_estimate(town: Town) -> None:
    told = builders.funded(town)
    found = town.read(lambda s: fee_breakdown.actual(s, [told.milestone]))[told.milestone]
    variance = town.read(lambda s: ledger.account(s, accounts.FEE_VARIANCE, "USD")).balance
    assert found.actual - found.estimated == variance
    assert found.actual.text() in found.sentence
    assert found.sentence.endswith("Paid with: Visa credit card, US.")


def test_a_charge_of_which_the_provider_told_no_method_is_not_known(town: Town) -> None:
    told = builders.funded(town)
    town.database.run(forget_methods)
    span = {"since": builders.NOW, "until": town.now}
    (row,) = town.read(lambda s: fee_breakdown.rows(s, FeeBy.PAYMENT_METHOD, currency="USD", **span))
    assert fee_breakdown.method_in_words(row.label) == "Not known"
    found = town.read(lambda s: fee_breakdown.actual(s, [told.milestone]))[told.milestone]
    assert found.sentence.endswith("It is not known what was paid with.")


def forget_methods(session: Session) -> None:
    """As it is of charges of before."""
    session.execute(
        update(Charge).values(method_kind=None, card_brand=None, card_funding=None, method_country=None)
    )


def test_fees_by_payment_method_have_a_row_for_each_card(town: Town) -> None:
    builders.funded(town)
    builders.funded(town, payment_method="pm_usBankAccount_success")
    span = {"since": builders.NOW, "until": town.now}
    rows = town.read(lambda s: fee_breakdown.rows(s, FeeBy.PAYMENT_METHOD, currency="USD", **span))
    found = {fee_breakdown.method_in_words(row.label) for row in rows}
    assert found == {"Visa credit card, US", "US bank account"}


def test_the_total_of_a_currency_says_what_is_owed_and_what_is_ours(town: Town) -> None:
    told = builders.funded(town)
    (total,) = town.read(overview.totals)
    held = town.read(lambda s: ledger.account(s, f"held:{told.milestone}", "USD")).balance
    assert total.held == held
    assert total.owed + total.own == total.at_stripe
    assert total.own == Money.total((each.amount for each in total.own_by_account), "USD")
    assert {each.name for each in total.own_by_account} <= {
        line.name
        for line in CHART.values()
        if line.kind in (AccountType.EQUITY, AccountType.INCOME, AccountType.EXPENSE, AccountType.ASSET)
    }
    assert total.covered


def test_what_is_ours_and_not_at_stripe_is_taken_from_ours(town: Town) -> None:
    """An opening entry is ours, and lies at our bank; a top-up brings it to Stripe."""
    builders.funded(town)
    (before,) = town.read(overview.totals)
    what_lay_there = {"account": "bank", "amount": Money(900_00, "USD")}
    with pytest.raises(NotPermitted):
        town.act(opening_balances.book, town.as_staff("fay"), **what_lay_there)
    town.act(opening_balances.book, SYSTEM, **what_lay_there)
    (opened,) = town.read(overview.totals)
    assert opened.own == before.own
    assert opened.worth == before.worth + Money(900_00, "USD")
    topped_up = postings.topped_up(key="topup.1", amount=Money(200_00, "USD"), cause={})
    town.database.run(lambda session: journal_store.post(session, topped_up, now=town.now))
    (after,) = town.read(overview.totals)
    assert after.own == before.own + Money(200_00, "USD")
    assert after.owed + after.own == after.at_stripe
    assert {each.name: each.amount for each in after.elsewhere} == {"bank": Money(700_00, "USD")}


def test_the_age_alarm_rings_after_75_days_and_not_before(town: Town) -> None:
    told = builders.funded(town)
    since = town.read(overview.oldest)[0].since
    assert town.read(overview.oldest)[0].milestone_id == told.milestone
    almost, over = since + timedelta(days=75, seconds=-1), since + timedelta(days=75)
    assert town.read(lambda s: overview.alarms(s, now=almost)) == 0
    assert town.read(lambda s: overview.alarms(s, now=over)) == 1
