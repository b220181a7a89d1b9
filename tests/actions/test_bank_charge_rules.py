"""A rule for recurring bank charges recognises lines; two people book them, and the rule none."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.reconciliation import bank_charge_rules, suspense
from core.actions.reconciliation.bank_charge_rules import LimitUnfit, NotRecognised, RuleEnded, RuleTooWide
from core.db import Database
from core.money import Money
from core.queries import bank_charge_rules as queries
from core.records import BankAccount, SuspenseItem
from core.rules.permissions import NotPermitted
from core.rules.proposals import MakerIsChecker
from tests.actions.test_bank_matching import lawful, open_breaks, run, told
from tests.sandbox_desk import Market

CHARGES = ((0, -1_500, "Account charge March"), (1, -2_001, "ACCOUNT CHARGE April"), (2, 1_500, "Account charge back"),
           (3, -90, "Card fee"), (4, -2_000, "x account  charge"))  # fmt: skip


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def save(market: Market, words: str = "account charge", most: Money | None = None, who: str = "fay") -> int:
    account = market.all(BankAccount)[0].id
    facts: dict[str, Any] = {"account_id": account, "words": words, "most": most or usd(2_000)}
    return int(market.act(bank_charge_rules.save, market.as_staff(who), **facts).id)


def recognised(market: Market) -> list[int]:
    return [each.line_id for each in market.read(queries.recognised)]


def test_it_recognises_its_account_its_words_and_its_limit_and_no_more(market: Market) -> None:
    first, *_ = told(market, *CHARGES)
    run(market, days=5)
    rule = save(market)
    assert recognised(market) == [first], "not above the limit, not money that came in, not other words"
    wider = save(market, "charge", usd(2_001))
    assert len(recognised(market)) == 3
    market.act(bank_charge_rules.end, market.as_staff("fay"), rule_id=rule)
    market.act(bank_charge_rules.end, market.as_staff("fay"), rule_id=wider)
    assert recognised(market) == []
    with pytest.raises(RuleEnded):
        market.act(bank_charge_rules.end, market.as_staff("fay"), rule_id=rule)


def test_a_rule_books_nothing_one_person_submits_what_it_recognises_and_another_approves(
    market: Market,
) -> None:
    told(market, (0, -1_500, "Account charge"), (1, -1_600, "Account charge"))
    run(market, days=5)
    save(market)
    run(market)
    assert market.books() == {}
    lines = recognised(market)
    with pytest.raises(NotPermitted):
        market.act(bank_charge_rules.submit, market.as_staff("mia"), line_ids=lines)
    market.act(bank_charge_rules.submit, market.as_staff("fay"), line_ids=lines)
    assert market.books() == {"bank": -3_100, "suspense": -3_100}
    assert recognised(market) == []
    with pytest.raises(NotRecognised):
        market.act(bank_charge_rules.submit, market.as_staff("fay"), line_ids=lines)
    items = market.all(SuspenseItem)
    assert {each.proposed_reason for each in items} == {
        "Rule 1: the text contains “account charge”, up to $20.00."
    }
    facts = {"item_ids": [each.id for each in items], "reason": "As every month."}
    with pytest.raises(MakerIsChecker):
        market.act(suspense.approve, market.as_staff("fay"), **facts)
    market.act(suspense.approve, market.as_staff("ada"), **facts)
    assert market.books() == {"bank": -3_100, "bank_charges": 3_100}
    assert open_breaks(market) == []
    lawful(market)


def test_a_rule_says_enough_and_has_a_limit_in_its_accounts_currency(market: Market, owner: Database) -> None:
    told(market, *CHARGES)
    for words in ("", "ab", "x" * 81, "   a   "):
        with pytest.raises(RuleTooWide):
            save(market, words)
    for most in (usd(0), usd(-5), Money(500, "EUR")):
        with pytest.raises(LimitUnfit):
            save(market, most=most)
    with pytest.raises(NotPermitted):
        save(market, who="cora")
    save(market, "50% _charge\\")
    assert recognised(market) == [], "marks of patterns are characters like others"
    with pytest.raises(DBAPIError), owner.transaction() as session:
        session.execute(text("update bank_charge_rules set most_minor = 999999"))
