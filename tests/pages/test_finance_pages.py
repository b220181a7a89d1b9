"""The finance pages, for each role, on a desk where money was held, divided, refunded and paid out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from core.actions.parties import payee_accounts
from core.actions.payouts import payout_review
from core.actions.platform import check_runs as check_run_actions
from core.actions.risk import holds
from core.db import Database
from core.gateways.payments import PayeeAccountSnapshot
from core.gateways.snapshots import BankSnapshot
from core.money import Money
from core.policy import WithdrawalMethod
from core.processes import check_runs
from core.queries.fee_breakdown import FeeBy, FeeRow
from core.queries.fees import FeePeriod
from core.records import (
    Break,
    OutgoingOperation,
    Party,
    Payout,
    ReconciliationBreak,
    ReconciliationRun,
    StripeBalance,
)
from core.rules.masking import masked_name
from core.rules.payouts import PayoutStatus
from core.rules.permissions import TABLE
from dashboard import navigation, request_context
from dashboard.finance import fees as earnings
from dashboard.ui import deadlines
from tests import builders, unrecorded
from tests.actions.test_receivables import owes
from tests.builders import PEOPLE, Told, Town
from tests.database import as_owner
from tests.pages.visiting import labels, serve, visit, words

PAGES = {
    "overview": "What the balance at Stripe is made of",
    "trial_balance": "USD, the platform's book",
    "financial_statements": "Balance sheet and income statement",
    "periods": "Closed periods",
    "manual_journals": "One person proposes, another approves",
    "journals": "All posted journals",
    "fees": "Platform fees earned",
    "payouts": "Under way",
    "bank_changes": "No bank account was replaced",
    "receivables": "Nobody owes anything",
    "bank_statements": "What the platform's own bank says",
    "reconciliation": "Every line of Stripe's statement, and of our banks'",
    "operations": "Requests to Stripe",
    "checks": "What must be true of the books",
}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def divided(town: Town) -> Told:
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)
    return told


def failed_payout(town: Town) -> int:
    """A withdrawal whose payout the bank refused."""
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town, payouts_too=False)

    def news(session: Session) -> int:
        wanted = select(OutgoingOperation).where(OutgoingOperation.kind == "PAYOUT")
        asked = session.scalars(wanted.order_by(OutgoingOperation.id.desc()).limit(1)).one()
        amount = Money(asked.amount_minor, asked.currency)
        settle, snapshot = builders.SNAPSHOTS["PAYOUT"](asked, amount, f"po_{asked.id}", town.now)
        failed = replace(
            snapshot, status="failed", failure_message="The account is closed ![x](http://evil.example)"
        )
        settle(session, asked, failed, now=town.now)
        return session.scalars(select(Payout.id).order_by(Payout.id.desc()).limit(1)).one()

    return town.database.run(news)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*call: object) -> None:
        seen.append(str(call[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("subject", PEOPLE)
def test_each_role_sees_its_pages_and_the_others_explain_themselves(town: Town, subject: str) -> None:
    builders.funded(town)
    for page, shown in PAGES.items():
        seen = words(visit(town, subject, page))
        if town.roles[subject] & TABLE[navigation.on_disk()[page].permission]:
            assert shown in seen, page
        else:
            assert "This page is not for your role" in seen, page


@pytest.mark.parametrize("page", PAGES)
def test_a_new_desk_shows_every_page_without_a_fault(town: Town, page: str) -> None:
    assert "This page could not be shown" not in words(visit(town, "fay", page))


def test_more_rows_take_no_more_statements(town: Town) -> None:
    def asked(page: str) -> int:
        with statements(town.database) as seen:
            visit(town, "fay", page)
        return len(seen)

    growing = [page for page in PAGES if page != "trial_balance"]
    divided(town)
    visit(town, "fay", "overview")  # the first visit of all also writes down that it was
    few = {page: asked(page) for page in growing}
    for _ in range(3):
        divided(town)
    many = {page: asked(page) for page in growing}
    assert {page: (few[page], many[page]) for page in growing if many[page] > few[page]} == {}


def test_the_overview_tells_what_is_held_and_what_is_ours(town: Town) -> None:
    builders.funded(town, total=Money(400_000, "USD"))
    seen = words(visit(town, "fay", "overview"))
    assert "Client funds held" in seen
    assert "The platform's own funds" in seen or "Deferred platform fees" in seen
    assert "Held too long" not in seen


def test_the_overview_shows_stripes_own_figure_with_its_time_beside_the_ledgers(town: Town) -> None:
    builders.funded(town, total=Money(400_000, "USD"))
    assert "Stripe’s own figure was never read" in words(visit(town, "fay", "overview"))
    with town.database.transaction() as session:
        session.add(
            StripeBalance(
                currency="USD",
                looked_at=town.now,
                at_stripe_minor=6_788_670,
                owed_minor=0,
                on_its_way_minor=0,
            )
        )
    town.wait(minutes=4)
    seen = words(visit(town, "fay", "overview"))
    assert (
        f"Stripe: $67,886.70, read 4 minutes ago, {deadlines.exact(town.now - timedelta(minutes=4))}" in seen
    )
    assert "Ledger:" in seen
    assert "All figures are the ledger's" not in seen


def test_the_overview_says_what_payees_owe_what_holds_stop_and_what_banks_wait_for(town: Town) -> None:
    told = builders.funded(town)
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Odd")
    owes(town, 30_000, "lost")
    seen = words(visit(town, "fay", "overview"))
    assert "Receivables from payees" in seen
    assert "$300.00" in seen
    assert "Holds in force" in seen
    assert "Chargebacks to answer" in seen
    town.wait(days=91)
    assert "$300.00 over 90 days" in words(visit(town, "fay", "overview"))


def test_the_overview_rings_after_75_days(town: Town) -> None:
    builders.funded(town)
    town.wait(days=75)
    assert "Held too long" in words(visit(town, "fay", "overview"))


def test_the_trial_balance_states_that_both_columns_agree_and_opens_a_line(town: Town) -> None:
    told = divided(town)
    held = builders.funded(town)
    app = visit(town, "fay", "trial_balance", line="held", currency="USD")
    assert "Balanced" in words(app)
    codes = list(app.dataframe[-1].value["code"])
    assert f"held:{held.milestone}" in codes
    assert f"held:{told.milestone}" not in codes


def test_t_accounts_of_no_milestone_say_where_they_are_found(town: Town) -> None:
    seen = words(visit(town, "fay", "t_accounts"))
    assert "No milestone is chosen" in seen
    assert "no milestone 0" not in seen


def test_an_account_shows_its_register_and_an_unknown_one_says_so(town: Town) -> None:
    told = builders.funded(town)
    app = visit(town, "fay", "account", code=f"held:{told.milestone}", iso="USD")
    (row,) = app.dataframe[0].value.itertuples()
    assert row.credit.strip() == row.balance.strip() != ""
    assert "There is no account held:x" in words(visit(town, "fay", "account", code="held:x"))


def test_journals_can_be_narrowed_and_one_opened(town: Town) -> None:
    told = divided(town)
    rows = visit(town, "fay", "journals", kind="decided").dataframe[0].value
    assert list(rows["what"]) == ["Release or decision"]
    number = rows["reference"].iloc[0].removeprefix("J-")
    app = visit(town, "fay", "journal", id=number)
    seen = words(app)
    assert "Difference $0.00" in seen
    assert "Not sealed yet" in seen
    assert f"held:{told.milestone}" in list(app.dataframe[0].value["code"])
    assert "There is no account" in words(visit(town, "fay", "journals", account="held:x"))
    assert "There is no journal 999" in words(visit(town, "fay", "journal", id=999))


def test_fees_show_what_was_earned(town: Town) -> None:
    divided(town)
    app = visit(town, "fay", "fees")
    assert "Net margin" in words(app)
    assert app.dataframe[0].value["platform"].str.contains(r"\$").all()


@pytest.mark.parametrize("by", FeeBy)
def test_fees_are_broken_down_and_each_row_opens_its_postings(town: Town, by: FeeBy) -> None:
    divided(town)
    app = visit(town, "fay", "fees", by=by)
    rows = app.dataframe[0].value
    assert rows["net"].str.contains(r"\$").all()
    assert "Choose a row to see its postings" in words(app)
    assert "The figures above are the sums of all rows" in words(app)
    assert not visit(town, "cora", "fees", by=by).exception


def test_each_payment_method_has_a_place_of_its_own_on_the_axis_and_no_key_is_shown(town: Town) -> None:
    methods = [
        ["card", "visa", "credit", "US"],
        ["card", "visa", "credit", "GB"],
        ["us_bank_account", None, None, None],
    ]
    day = town.now.date()
    rows = [FeeRow(json.dumps(each), json.dumps(each), FeePeriod(day, "USD"), day) for each in methods]
    places = earnings._places(FeeBy.PAYMENT_METHOD, rows)
    assert places == ["Visa credit, US", "Visa credit, GB", "US bank account"]


def test_the_fees_of_a_payment_are_explained_with_their_numbers(town: Town) -> None:
    told = divided(town)
    said = words(visit(town, "fay", "project", id=told.project))
    assert "Platform fee: 2.5 % × " in said
    assert "rounded half up, policy 1" in said
    assert "Stripe took $" in said


def test_a_failed_payout_is_offered_for_review_with_its_reason_as_it_was_written(town: Town) -> None:
    number = failed_payout(town)
    app = visit(town, "fay", "payouts", id=number)
    assert "Needs review." in words(app)
    assert "![x](" not in " ".join(each.value for each in app.markdown)
    assert "Try again" in labels(app)
    assert "Try again" not in labels(visit(town, "cora", "payouts", id=number))


def test_each_figure_of_payouts_leads_to_the_payouts_that_it_is_of(town: Town) -> None:
    failed, sent = failed_payout(town), failed_payout(town)
    why = {"payout_id": sent, "reason": "The bank had an outage."}
    town.act(payout_review.retry, town.as_staff("fay"), **why)
    ways = {
        link.proto.label: link.proto.query_string for link in visit(town, "fay", "payouts").get("page_link")
    }
    found = {}
    for label in ("Failed payouts to review", "Payouts under way"):
        shown = visit(town, "fay", "payouts", status=ways[label].removeprefix("status="))
        found[label] = {row["reference"] for row in shown.dataframe[0].value.to_dict("records")}
    assert found == {"Failed payouts to review": {f"W-{failed}"}, "Payouts under way": {f"W-{sent}"}}


def test_every_amount_of_a_payout_is_what_is_sent_after_the_fee(town: Town) -> None:
    number = failed_payout(town)
    again = {"payout_id": number, "reason": "The bank had an outage.", "method": WithdrawalMethod.INSTANT}
    row = town.act(payout_review.retry, town.as_staff("fay"), **again)
    sent = Money(row.amount_minor - row.fee_minor, row.currency).text()
    app = visit(town, "fay", "payouts")
    assert f"{sent} after the fee" in words(app)
    shown = list(app.dataframe[0].value)
    first = app.dataframe[0].value.iloc[0]
    assert (first["sent"], first["amount"]) == (sent, Money(row.amount_minor, row.currency).text())
    assert shown.index("sent") < shown.index("status") < shown.index("amount")
    whole = words(visit(town, "fay", "payouts", id=number))
    assert ("Before the fee" in whole, "Sent after the fee" in whole) == (True, True)


def test_trying_again_sends_it_again(town: Town) -> None:
    number = failed_payout(town)
    app = visit(town, "fay", "payouts", id=number)
    app.text_input(key="payout-reason").set_value("The payee corrected the details.").run()
    app.button(key="payout-retry").click().run()
    assert not app.exception
    assert town.read(lambda s: s.get_one(Payout, number)).status == PayoutStatus.TRANSFERRED
    assert "is queued again" in words(app)


def test_several_payouts_are_sent_again_each_with_its_own_result(town: Town) -> None:
    """One of them would go to an account that is closed, so it is refused, and the others go."""
    first, second = failed_payout(town), failed_payout(town)

    def closed(session: Session) -> None:
        session.get_one(Payout, second).failure_code = "account_closed"

    town.database.run(closed)
    assert not visit(town, "cora", "payouts").multiselect
    app = visit(town, "fay", "payouts")
    box = app.multiselect(key="bulk-retry-chosen")
    mask = masked_name("Ben Okafor", town.payee_id)
    assert f"W-{first} · {mask} · $1,800.00" in box.options, "its words, and no marks against markdown"
    box.set_value([first, second]).run()
    assert "the same account will fail again. The bank account is closed." in words(app)
    app.text_input(key="bulk-retry-reason").set_value("The bank had an outage.").run()
    app.button(key="bulk-retry").click().run()
    assert not app.exception
    assert "1 of 2 done." in words(app)
    assert f"W-{first} · {mask} · $1,800.00" in unescape(words(app))
    assert "The same account will fail again, so payout" in words(app)
    standing = {each.id: each.status for each in town.read(lambda s: s.scalars(select(Payout)).all())}
    assert standing == {first: "TRANSFERRED", second: "ADMINISTRATIVE_REVIEW"}


def test_a_payout_is_given_to_someone_and_says_before_a_useless_retry_that_it_is_one(town: Town) -> None:
    number = failed_payout(town)

    def closed(session: Session) -> None:
        session.get_one(Payout, number).failure_code = "account_closed"

    town.database.run(closed)
    assert "Assign" not in labels(visit(town, "cora", "payouts", id=number))
    app = visit(town, "fay", "payouts", id=number)
    assert "The same account will fail again." in words(app)
    assert "Unassigned" in words(app)
    app.selectbox(key=f"payout-owner-{number}").set_value(town.staff["fay"]).run()
    app.button(key="payout-assign").click().run()
    assert "is with Fay Moreno" in words(app)
    row = visit(town, "fay", "payouts").dataframe[0].value.iloc[0]
    assert (row["owner"], row["why"]) == ("Fay Moreno", "The bank account is closed.")


def test_ahead_shows_what_is_due_until_tomorrow_night_and_the_cash_for_it(town: Town) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    app = visit(town, "cora", "payouts", **{"payouts-tab": "Ahead"})
    assert "Not known: the available balance has not been read" in words(app)
    assert app.dataframe[0].value["kind"].tolist() == ["Payout"]


def test_a_payout_shows_what_stripe_wants_of_the_payee_and_which_bank_was_there_before(town: Town) -> None:
    number = failed_payout(town)
    assert "It has not been read yet, or the payee has none." in words(
        visit(town, "fay", "payouts", id=number)
    )
    wanted = {"past_due": ("individual.id_number",), "disabled_reason": "requirements.past_due"}
    stripe_says(town, "ba_1", "6789")
    town.wait(hours=1)
    stripe_says(town, "ba_2", "1116", transfers="inactive", payouts_enabled=False, **wanted)
    app = visit(town, "fay", "payouts", id=number)
    assert "No: Stripe needs details from the payee that are past due (ID number)" in words(app)
    assert words(app).count("ending in ••••") == 1
    assert not {"1116", "6789"} & set(re.findall(r"\d+", words(app)))


def stripe_says(town: Town, bank: str, last4: str, **fields: Any) -> None:
    read = PayeeAccountSnapshot(
        id=str(town.read(lambda session: session.get_one(Party, town.payee_id)).stripe_account),
        created=town.now,
        op=None,
        key=None,
        country="US",
        currency="USD",
        bank=bank,
        bank_status="new",
        bank_last4=last4,
        banks=(BankSnapshot(bank, bank, "USD", last4, usable=True),),
        **{"transfers": "active", "payouts_enabled": True, **fields},
    )
    town.database.run(lambda session: payee_accounts.follow(session, read, asked_at=town.now, now=town.now))


def test_money_that_waits_names_every_reason(town: Town) -> None:
    told = builders.in_mediation(town)
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Reported for fraud")
    app = visit(town, "fay", "payouts", **{"payouts-tab": "Stopped money"})
    why = app.dataframe[0].value["why"].iloc[0]
    assert f"Case D-{told.case} is under review." in why
    assert "Hold H-1 is in place: Reported for fraud." in why


def test_a_run_shows_its_breaks_with_both_amounts(town: Town) -> None:
    def found(session: Session) -> int:
        totals = {
            "currency": "USD",
            "at_provider": 900,
            "in_ledger": 1000,
            "statement": 900,
            "comparable": True,
        }
        run = ReconciliationRun(
            until=town.now,
            started_at=town.now,
            finished_at=town.now,
            status="BREAKS",
            lines=3,
            matched=2,
            breaks=1,
        )
        run.totals = [totals]
        session.add(run)
        session.flush()
        kind = {"kind": "AMOUNT_DIFFERS", "transaction_id": "txn_1", "currency": "USD"}
        session.add(ReconciliationBreak(run_id=run.id, at_provider=900, in_ledger=1000, **kind))
        unrecorded.forgive(session)
        return run.id

    number = town.database.run(found)
    app = visit(town, "fay", "reconciliation", id=number)
    (row,) = app.dataframe[0].value.itertuples()
    assert [each.strip() for each in (row.at_provider, row.in_ledger, row.difference)] == [
        "$9.00",
        "$10.00",
        "-$1.00",
    ]
    assert "Unreconciled" in words(app)
    assert "Run now" in labels(visit(town, "fay", "reconciliation"))
    assert "Run now" not in labels(visit(town, "cora", "reconciliation"))


def test_a_call_shows_what_it_carries(town: Town) -> None:
    told = builders.funded(town)
    app = visit(town, "fay", "operations", q="charge.")
    assert list(app.dataframe[0].value["shown"]) == ["Succeeded"]
    number = town.read(lambda s: s.scalars(select(OutgoingOperation.id)).one())
    app = visit(town, "fay", "operations", id=number)
    assert f"milestone-{told.milestone}" in app.json[0].value


def test_a_broken_law_shows_the_rows_that_offend(town: Town, owner: Database) -> None:
    builders.funded(town)
    with owner.transaction() as session:
        session.execute(text("update payment_orders set state = 'RELEASED' where held_minor > 0"))
        unrecorded.admit(session)
    app = visit(town, "fay", "checks")
    assert "have not been checked yet" in words(app)
    assert "No run of the checks has ended yet" in unescape(words(visit(town, "fay", "periods")))
    app.button(key="check-books").click().run()
    assert "Run now" not in labels(app), "it is under way"
    assert "Run the nightly check now" in labels(app)
    assert check_runs.sweep(request_context.desk()) == 2, "that one, and the first of everything"
    app = visit(town, "fay", "checks")
    assert "States derived** Every payment state is the one that its amounts give." in words(app)
    assert app.dataframe[0].value["stored"].iloc[0] == "RELEASED"
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update payment_orders set state = 'PAID_HELD' where held_minor > 0"))
        unrecorded.admit(session)
    app = visit(town, "fay", "checks")
    assert "States derived** failed in that run, and no row fails it now." in words(app)
    assert not app.dataframe


def test_a_check_that_came_after_the_last_run_is_not_said_to_hold(town: Town) -> None:
    town.database.run(lambda s: check_run_actions.begin(s, books_only=True, now=town.now))
    check_runs.sweep(request_context.desk())
    checks, periods = words(visit(town, "fay", "checks")), unescape(words(visit(town, "fay", "periods")))
    assert "all of them" in checks
    assert "Every check held in the run of" in periods
    with as_owner(town.database) as session:
        session.execute(text("update check_runs set results = results #- '{BOOKS,rows,held_agrees}'"))
    checks, periods = words(visit(town, "fay", "checks")), unescape(words(visit(town, "fay", "periods")))
    assert "1 not run yet" in checks
    assert "all of them" not in checks
    assert "Every check that there was then held in the run of" in periods


def test_words_that_were_altered_are_shown_and_masks_are_not_taken_for_them(
    town: Town, owner: Database
) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update staff set name = name || '!' where id = :id"), {"id": town.staff["max"]})
    town.database.run(lambda s: check_run_actions.begin(s, books_only=True, now=town.now))
    check_runs.sweep(request_context.desk())
    app = visit(town, "fay", "checks")
    assert "1 failing row" in words(app)
    (shown,) = (each.value for each in app.dataframe)
    assert len(shown) == 1, shown


@pytest.mark.parametrize("status", ["FAILED", "RUNNING"])
def test_a_run_that_came_to_no_end_is_never_shown_as_a_good_one(town: Town, status: str) -> None:
    def left(session: Session) -> int:
        run = ReconciliationRun(until=town.now, started_at=town.now, status=status)
        run.error = "Stripe did not answer." if status == "FAILED" else None
        earlier = {"until": town.now - timedelta(hours=2), "started_at": town.now, "finished_at": town.now}
        session.add(ReconciliationRun(status="BREAKS", lines=9, matched=6, breaks=3, **earlier))
        session.flush()
        session.add(run)
        session.flush()
        unrecorded.forgive(session)
        return run.id

    number = town.database.run(left)
    page = visit(town, "fay", "reconciliation", id=number)
    seen = words(page) + " ".join(each.label for each in page.tabs)
    assert "Nothing was compared" in seen
    assert not any(good in seen for good in ("Every line matches", "same story"))
    listed = words(visit(town, "fay", "reconciliation"))
    assert ("failed" if status == "FAILED" else "was broken off") in listed
    overview = unescape(words(visit(town, "fay", "overview")))
    assert ("Failed" if status == "FAILED" else "Broken off") in overview
    assert "Everything matches" not in overview
    assert "Before that: 6 of 9 of Stripe's lines matched" in overview


def test_an_account_that_the_address_does_not_name_is_no_error(town: Town) -> None:
    assert "No account is named" in words(visit(town, "fay", "account", id=1344))


def test_the_overview_counts_open_breaks_and_leads_to_them(town: Town) -> None:
    builders.funded(town)
    with town.database.transaction() as session:
        for number, class_ in enumerate(("BANK_ONLY", "UNKNOWN")):
            session.add(
                Break(
                    side="BANK", object=f"line:{number}", currency="USD", kind="NOT_IN_LEDGER", class_=class_,
                    theirs=-5, since=town.now - timedelta(days=3), opened_at=town.now, last_seen_at=town.now,
                )
            )  # fmt: skip
        session.add(
            ReconciliationRun(
                until=town.now, started_at=town.now, finished_at=town.now, status="BREAKS", lines=3, breaks=2
            )
        )
        session.flush()
        unrecorded.forgive(session)
    app = visit(town, "fay", "overview")
    assert "2 open breaks" in words(app)
    assert "none of them in suspense" in words(app)
    assert "oldest break 3 days old" in words(app)
    periods = visit(town, "fay", "periods", day=town.now.date())
    assert "2 open breaks, none of them in suspense" in words(periods)
