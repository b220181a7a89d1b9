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
def unsigned(database: Database, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town founded here and now, in which nothing is signed yet."""
    monkeypatch.setattr(builders, "switch_payments_on", lambda town: None)
    return builders.a_town(database)


def sign(
    unsigned: Town, item: Item, platform: Platform = Platform.HOME_SERVICES, note: str = "Memo 7."
) -> LegalCheck:
    return unsigned.act(
        legal_checklist.sign, unsigned.as_staff("cora"), platform=platform, item=item, note=note
    )


def test_funding_is_refused_and_names_every_item_that_is_missing(unsigned: Town) -> None:
    sign(unsigned, Item.COUNSEL)
    with pytest.raises(PaymentsSwitchedOff) as refused:
        builders.funded(unsigned)
    assert [block.code for block in refused.value.blocks] == [
        "processor_terms",
        "chargeback_workflow",
        "privacy",
    ]
    assert all(rules.LABELS[item] in refused.value.message for item in Item if item is not Item.COUNSEL)
    assert unsigned.read(lambda session: session.scalars(select(OutgoingOperation)).all()) == []


def test_with_all_four_signed_it_is_paid(unsigned: Town) -> None:
    for item in Item:
        sign(unsigned, item)
    assert builders.funded(unsigned).milestone


def test_what_is_signed_for_one_platform_is_not_signed_for_the_other(unsigned: Town) -> None:
    for item in Item:
        sign(unsigned, item, Platform.LEGAL_SERVICES)
    with pytest.raises(PaymentsSwitchedOff):
        builders.funded(unsigned)


def test_a_signature_says_who_and_when_and_is_given_once(unsigned: Town, owner: Database) -> None:
    signed = sign(unsigned, Item.PRIVACY)
    assert (signed.signed_by, signed.signed_at) == (unsigned.staff["cora"], unsigned.now)
    with pytest.raises(legal_checklist.AlreadySigned):
        sign(unsigned, Item.PRIVACY)
    with pytest.raises(ReasonMissing):
        sign(unsigned, Item.COUNSEL, note=" ")
    with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
        session.execute(text("delete from legal_checks"))


@pytest.mark.parametrize("subject", ["mia", "fay", "ada"])
def test_only_compliance_signs(unsigned: Town, subject: str) -> None:
    given = {"platform": Platform.HOME_SERVICES, "item": Item.COUNSEL, "note": "Memo 7."}
    with pytest.raises(NotPermitted):
        unsigned.act(legal_checklist.sign, unsigned.as_staff(subject), **given)
    with pytest.raises(NotPermitted):
        unsigned.act(legal_checklist.sign, SYSTEM, **given)
