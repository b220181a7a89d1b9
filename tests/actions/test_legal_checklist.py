"""No payment on a platform before compliance has signed each item of its legal checklist, and where one lapses."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import legal_checklist
from core.db import Database
from core.errors import DeskError, NotFound, ReasonMissing
from core.policy import Platform
from core.processes import timers
from core.records import LegalSignature, Notification, OutgoingOperation, Party
from core.rules import legal_checklist as rules
from core.rules.legal_checklist import Item, PaymentsSwitchedOff
from core.rules.permissions import SYSTEM, NotPermitted
from tests import builders, unrecorded
from tests.builders import Town
from tests.desk_fixtures import a_desk


@pytest.fixture
def unsigned(database: Database, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town founded here and now, in which nothing is signed yet."""
    monkeypatch.setattr(builders, "switch_payments_on", lambda town: None)
    return builders.a_town(database)


def sign(
    unsigned: Town, item: Item, platform: Platform = Platform.HOME_SERVICES, note: str = "Memo 7."
) -> LegalSignature:
    return signed(unsigned, item, platform=platform, note=note)


def signed(town: Town, item: Item, **more: Any) -> LegalSignature:
    given = {"platform": Platform.HOME_SERVICES, "note": "Memo 7."} | builders.MEMO | more
    return town.act(legal_checklist.sign, town.as_staff("cora"), item=item, **given)


def switched_on(town: Town) -> None:
    for item in Item:
        signed(town, item)


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


def test_a_signature_says_who_when_and_on_which_document_and_stays(unsigned: Town, owner: Database) -> None:
    row = sign(unsigned, Item.PRIVACY)
    assert (row.signed_by, row.signed_at, row.jurisdiction) == (unsigned.staff["cora"], unsigned.now, "ALL")
    assert row.document_sha256 == hashlib.sha256(builders.MEMO["document"]).hexdigest()
    with pytest.raises(ReasonMissing):
        sign(unsigned, Item.COUNSEL, note=" ")
    for change in (
        "delete from legal_signatures",
        "update legal_signatures set note = 'x', document = '\\x00'",
    ):
        with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
            session.execute(text(change))
    name, content = unsigned.act(legal_checklist.document, unsigned.as_staff("cora"), signature_id=row.id)
    assert (name, content) == ("memo.pdf", builders.MEMO["document"])
    with pytest.raises(NotPermitted):
        unsigned.act(legal_checklist.document, unsigned.as_staff("mia"), signature_id=row.id)
    with pytest.raises(NotFound, match="document of a signature"):
        unsigned.act(legal_checklist.document, unsigned.as_staff("cora"), signature_id=row.id + 1)


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"document": b"MZ"}, rules.DocumentUnfit),
        ({"document": b"%PDF-" + b"x" * rules.LARGEST}, rules.DocumentUnfit),
        ({"jurisdiction": "Bavaria"}, rules.NoCountry),
        ({"jurisdiction": "ZZ"}, rules.NoCountry),
        ({"valid_until": date(2020, 1, 1)}, rules.DatesUnfit),
        ({"valid_until": date(2030, 1, 1), "review_on": date(2030, 1, 2)}, rules.DatesUnfit),
    ],
)
def test_what_does_not_fit_is_not_signed(
    unsigned: Town, more: dict[str, Any], refused: type[DeskError]
) -> None:
    with pytest.raises(refused):
        signed(unsigned, Item.COUNSEL, **more)


def test_payments_stop_after_the_last_day_and_go_on_when_it_is_signed_again(unsigned: Town) -> None:
    switched_on(unsigned)
    last = unsigned.now.date() + timedelta(days=30)
    signed(unsigned, Item.COUNSEL, valid_until=last)
    unsigned.wait(days=30)
    builders.funded(unsigned)
    unsigned.wait(days=1)
    with pytest.raises(PaymentsSwitchedOff, match="Lapsed: Counsel") as refused:
        builders.funded(unsigned)
    assert [block.code for block in refused.value.blocks] == ["counsel"]
    signed(unsigned, Item.COUNSEL)
    assert builders.funded(unsigned).milestone


def test_a_withdrawal_stops_payments_at_once_and_says_who_and_why(unsigned: Town) -> None:
    switched_on(unsigned)
    row = signed(unsigned, Item.PRIVACY)
    officer = unsigned.as_staff("cora")
    with pytest.raises(NotPermitted):
        unsigned.act(
            legal_checklist.withdraw, unsigned.as_staff("ada"), signature_id=row.id, reason="New law."
        )
    with pytest.raises(ReasonMissing):
        unsigned.act(legal_checklist.withdraw, officer, signature_id=row.id, reason=" ")
    gone = unsigned.act(legal_checklist.withdraw, officer, signature_id=row.id, reason="New law.")
    assert (gone.withdrawn_by, gone.withdrawal_reason) == (officer.id, "New law.")
    with pytest.raises(legal_checklist.AlreadyWithdrawn):
        unsigned.act(legal_checklist.withdraw, officer, signature_id=row.id, reason="New law.")
    with pytest.raises(NotFound):
        unsigned.act(legal_checklist.withdraw, officer, signature_id=4711, reason="New law.")
    with pytest.raises(PaymentsSwitchedOff, match="Withdrawn: Receipts"):
        builders.funded(unsigned)


def test_a_country_with_signatures_of_its_own_goes_by_those(unsigned: Town) -> None:
    switched_on(unsigned)
    theirs = signed(unsigned, Item.COUNSEL, jurisdiction="de")
    assert theirs.jurisdiction == "DE"
    unsigned.act(
        legal_checklist.withdraw, unsigned.as_staff("cora"), signature_id=theirs.id, reason="New law."
    )
    assert builders.funded(unsigned).milestone, "nobody here is there"
    with unsigned.database.transaction() as session:
        session.get_one(Party, unsigned.payee_id).country = "DE"
        unrecorded.admit(session)
    with pytest.raises(PaymentsSwitchedOff, match=r"Withdrawn: Counsel.* \(DE\)"):
        builders.funded(unsigned)
    signed(unsigned, Item.COUNSEL, jurisdiction="DE")
    assert builders.funded(unsigned).milestone


def test_compliance_is_reminded_of_the_newest_on_its_day_once(unsigned: Town, tmp_path: Path) -> None:
    today = unsigned.now.date()
    signed(unsigned, Item.COUNSEL, review_on=today + timedelta(days=3))  # another follows it
    row = signed(
        unsigned, Item.COUNSEL, review_on=today + timedelta(days=9), valid_until=today + timedelta(days=20)
    )
    desk = a_desk(unsigned.database, tmp_path, clock=lambda: unsigned.now)
    unsigned.now = datetime.combine(today + timedelta(days=9), time(), UTC) - timedelta(microseconds=1)
    timers.run_due(desk)
    assert reminded(unsigned) == []
    unsigned.now += timedelta(microseconds=1)
    assert timers.run_due(desk) == 1
    assert timers.run_due(desk) == 0
    assert reminded(unsigned) == [f"legal-review-{row.id}-staff-{unsigned.staff['cora']}"]


def reminded(town: Town) -> list[str]:
    found = town.read(
        lambda session: session.query(Notification).filter_by(template="legal_review_due").all()
    )
    return [each.key for each in found]


@pytest.mark.parametrize("subject", ["mia", "fay", "ada"])
def test_only_compliance_signs(unsigned: Town, subject: str) -> None:
    given = {"platform": Platform.HOME_SERVICES, "item": Item.COUNSEL, "note": "Memo 7."} | builders.MEMO
    with pytest.raises(NotPermitted):
        unsigned.act(legal_checklist.sign, unsigned.as_staff(subject), **given)
    with pytest.raises(NotPermitted):
        unsigned.act(legal_checklist.sign, SYSTEM, **given)
