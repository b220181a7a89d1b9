"""No payment on a platform before compliance has signed each item of its legal checklist."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import legal_checklist
from core.db import Database
from core.errors import ReasonMissing
from core.policy import Platform
from core.records import LegalCheck, OutgoingOperation
from core.rules import legal_checklist as rules
from core.rules.legal_checklist import Item, PaymentsSwitchedOff
from core.rules.permissions import SYSTEM, NotPermitted
from tests import builders
from tests.builders import Town


@pytest.fixture
def town(database: Database, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Founded, but nothing is signed yet."""
    monkeypatch.setattr(builders, "switch_payments_on", lambda town: None)
    return builders.a_town(database)


def sign(
    town: Town, item: Item, platform: Platform = Platform.HOME_SERVICES, note: str = "Memo 7."
) -> LegalCheck:
    return town.act(legal_checklist.sign, town.as_staff("cora"), platform=platform, item=item, note=note)


def test_funding_is_refused_and_names_every_item_that_is_missing(town: Town) -> None:
    sign(town, Item.COUNSEL)
    with pytest.raises(PaymentsSwitchedOff) as refused:
        builders.funded(town)
    assert [block.code for block in refused.value.blocks] == [
        "processor_terms",
        "chargeback_workflow",
        "privacy",
    ]
    assert all(rules.LABELS[item] in refused.value.message for item in Item if item is not Item.COUNSEL)
    assert town.read(lambda session: session.scalars(select(OutgoingOperation)).all()) == []


def test_with_all_four_signed_it_is_paid(town: Town) -> None:
    for item in Item:
        sign(town, item)
    assert builders.funded(town).milestone


def test_what_is_signed_for_one_platform_is_not_signed_for_the_other(town: Town) -> None:
    for item in Item:
        sign(town, item, Platform.LEGAL_SERVICES)
    with pytest.raises(PaymentsSwitchedOff):
        builders.funded(town)


def test_a_signature_says_who_and_when_and_is_given_once(town: Town, owner: Database) -> None:
    signed = sign(town, Item.PRIVACY)
    assert (signed.signed_by, signed.signed_at) == (town.staff["cora"], town.now)
    with pytest.raises(legal_checklist.AlreadySigned):
        sign(town, Item.PRIVACY)
    with pytest.raises(ReasonMissing):
        sign(town, Item.COUNSEL, note=" ")
    with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
        session.execute(text("delete from legal_checks"))


@pytest.mark.parametrize("subject", ["mia", "fay", "ada"])
def test_only_compliance_signs(town: Town, subject: str) -> None:
    given = {"platform": Platform.HOME_SERVICES, "item": Item.COUNSEL, "note": "Memo 7."}
    with pytest.raises(NotPermitted):
        town.act(legal_checklist.sign, town.as_staff(subject), **given)
    with pytest.raises(NotPermitted):
        town.act(legal_checklist.sign, SYSTEM, **given)
