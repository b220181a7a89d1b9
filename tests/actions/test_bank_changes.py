"""Another bank account in the place of a payee's: payouts wait and go there afterwards, and the payee is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import verification
from core.actions.parties import details
from core.policy import HOME_SERVICES
from core.processes import letter_delivery, payee_accounts, provider_accounts
from core.queries import letters, payout_calendar, payouts_ahead, stopped_money
from core.records import BankChange, Notification, Party, PartyChange, PayeeAccount
from core.rules.permissions import NotYours
from tests.sandbox_desk import Market

HOLD = HOME_SERVICES.bank_change_hold
OTHER = "btok_us_insufficientFunds"  # another account number; its payouts are not let fail here


def replace(market: Market, bank: str = OTHER, asked_as: str = "once") -> None:
    market.control.set_clock(market.now)
    provider_accounts.replace_bank(market.desk, market.payee_id, asked_as=asked_as, bank_token=bank)


def told(market: Market, template: str) -> list[str | None]:
    """To which addresses, None for the one that the party has."""
    return [each.address for each in market.all(Notification) if each.template == template]


def email(market: Market) -> str:
    return str(market.get(Party, market.payee_id).email)


def test_payouts_to_another_bank_wait_for_the_time_of_the_policy_and_go_there(market: Market) -> None:
    there = market.submitted()
    replace(market)
    (change,) = market.all(BankChange)
    assert (change.before_last4, change.after_last4) == ("6789", "2227")
    assert change.held_until == market.now + HOLD
    market.act(verification.approve, market.payer, milestone_id=there.milestone)
    market.work()
    (stopped,) = market.read(stopped_money.stopped)
    assert "bank account was changed" in stopped.why
    assert market.sent("/v1/transfers") == []
    market.control.next_payouts({})
    market.wait(seconds=HOLD.total_seconds() - 1800)
    market.later()  # the queue asks again every few minutes, in vain
    (due,) = market.read(lambda s: payouts_ahead.ahead(s, now=market.now)).due
    assert (due.at, due.why) == (change.held_until, ""), "when it goes, and not when the queue asks again"
    on = {
        each.day
        for each in market.read(lambda s: payout_calendar.calendar(s, now=market.now)).days
        if each.number
    }
    assert on == {change.held_until.date()}
    market.wait(seconds=1799)
    market.later()
    assert market.sent("/v1/transfers") == []
    market.later(seconds=1)
    assert market.all(BankChange)[0].ended_at == market.now
    (payout,) = market.at_stripe("/v1/payouts", account=market.get(PayeeAccount, market.payee_id).account)
    (bank,) = market.at_stripe(
        f"/v1/accounts/{market.get(PayeeAccount, market.payee_id).account}/external_accounts"
    )
    assert (payout["destination"], bank["last4"]) == (bank["id"], "2227")
    market.lawful()


def test_the_payee_is_told_at_the_address_that_they_had_before(market: Market) -> None:
    before = email(market)
    market.act(details.change, market.payee, party_id=market.payee_id, wanted={"email": "thief@example.com"})
    assert told(market, "email_changed") == [before, None]
    market.wait(days=2)
    replace(market)
    assert told(market, "bank_changed") == [None, before]
    letter_delivery.deliver_due(market.desk)
    sent = [each for each in market.all(Notification) if each.template == "bank_changed"]
    assert {each.status for each in sent} == {"SENT"}
    assert market.read(lambda session: letters.letter(session, sent[1].id)).row.side == "PAYEE"


def test_an_address_of_long_ago_is_not_written_to(market: Market) -> None:
    market.act(details.change, market.payee, party_id=market.payee_id, wanted={"email": "new@example.com"})
    market.wait(days=31)
    replace(market)
    assert told(market, "bank_changed") == [None]


def test_the_same_bank_again_holds_nothing_and_back_again_holds_once_more(market: Market) -> None:
    replace(market, "btok_us")
    assert market.all(BankChange) == []
    replace(market, OTHER, "there")
    replace(market, "btok_us", "and back")
    replace(market, OTHER, "and there again")
    assert [each.after_last4 for each in market.all(BankChange)] == ["2227", "6789", "2227"]


def test_a_bank_that_was_changed_on_the_providers_own_page_waits_as_well(market: Market) -> None:
    account = market.get(PayeeAccount, market.payee_id).account
    market.control.move_account(account, "submitted", outcome="at_once", bank=OTHER)
    payee_accounts.read(market.desk, account)
    assert [each.after_last4 for each in market.all(BankChange)] == ["2227"]


def test_news_of_a_change_that_several_workers_read_at_once_hold_it_once(market: Market) -> None:
    account = market.get(PayeeAccount, market.payee_id).account
    market.control.move_account(account, "submitted", outcome="at_once", bank=OTHER)
    with ThreadPoolExecutor(4) as workers:
        read = list(workers.map(lambda _: payee_accounts.read(market.desk, account), range(4)))
    assert read == [True] * 4
    assert len(market.all(BankChange)) == 1
    assert len(told(market, "bank_changed")) == 1


def test_the_first_bank_of_a_payee_waits_for_nothing(market: Market) -> None:
    market.newcomers(bank=None)
    replace(market)
    assert market.all(BankChange) == []


def test_old_values_stay_and_the_same_again_changes_nothing(market: Market) -> None:
    wanted = {"name": "Ben Okafor-Lind", "city": "Salem"}
    for _ in range(2):
        market.act(details.change, market.payee, party_id=market.payee_id, wanted=wanted)
    kept = [(each.field, each.before, each.after, each.at) for each in market.all(PartyChange)]
    assert kept == [
        ("name", "Ben Okafor", "Ben Okafor-Lind", market.now),
        ("city", "", "Salem", market.now),
    ]
    entries = text("select before, after from audit_entries where action = 'party:party:change'")
    assert market.read(lambda session: [tuple(row) for row in session.execute(entries)]) == [
        (None, {"fields": ["city", "name"]})
    ]
    with pytest.raises(NotYours):
        market.act(details.change, market.payer, party_id=market.payee_id, wanted=wanted)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [({}, details.NothingToChange), ({"country": "CA", "city": "Lund"}, details.CountryFixed)],
)
def test_what_cannot_change_changes_nothing(market: Market, wanted: Any, problem: type[Exception]) -> None:
    before = market.get(Party, market.payee_id).city
    with pytest.raises(problem):
        market.act(details.change, market.payee, party_id=market.payee_id, wanted=wanted)
    assert market.get(Party, market.payee_id).city == before
    assert market.all(PartyChange) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update bank_changes set ended_at = at where party_id = :payee",
        "update bank_changes set held_until = at where party_id = :payee",
        "delete from bank_changes where party_id = :payee",
        "update payee_accounts set banks = jsonb_set(banks, '{USD,id}', '\"ba_thief\"') where party_id = :payee",
        "update payee_accounts set banks = '{}' where party_id = :payee",
        "update party_changes set before = 'x' where party_id = :payee",
        "delete from party_changes where party_id = :payee",
        "insert into party_changes (party_id, field, before, after, at) values (:payee, 'name', 'a', 'b', now())",
        "update parties set language = 'xx' where id = :payee",
    ],
    ids=["sooner", "shorter", "gone", "another", "none", "history", "erased", "invented", "language"],
)
def test_the_database_refuses_what_would_hide_a_change(market: Market, statement: str) -> None:
    market.act(details.change, market.payee, party_id=market.payee_id, wanted={"city": "Salem"})
    replace(market)
    with pytest.raises(DBAPIError):
        market.database.run(lambda session: session.execute(text(statement), {"payee": market.payee_id}))


def test_an_end_is_written_once(market: Market) -> None:
    replace(market)
    market.later(seconds=HOLD.total_seconds())
    later = market.now + timedelta(days=1)
    with pytest.raises(DBAPIError):
        market.database.run(
            lambda session: session.execute(text("update bank_changes set ended_at = :at"), {"at": later})
        )
