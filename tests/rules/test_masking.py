"""The table of who sees whom, page by page, and the masks themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.rules.masking import (
    ALL,
    BANK_CHANGE,
    CHARGEBACK,
    MANY,
    NOTHING,
    SEARCH,
    SEES,
    Personal,
    alarming,
    hides,
    masked_email,
    masked_json,
    masked_name,
    masked_words,
    masks_in,
    sees,
)
from core.rules.permissions import Role
from dashboard import navigation

PAGES = sorted({entry.name for entry in navigation.ENTRIES} | {BANK_CHANGE, CHARGEBACK, SEARCH})
PLAIN = {
    Role.ADMINISTRATOR: {"disputes", "case", "projects", "project", "approvals", "holds", SEARCH, CHARGEBACK},
    Role.COMPLIANCE: {"case", "project", CHARGEBACK},
    Role.FINANCE: {CHARGEBACK},
}


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_in_the_table_is_masked(page: str) -> None:
    assert sees({Role.MEDIATOR}, page) == ALL
    assert sees((), page) == NOTHING
    for role, plain in PLAIN.items():
        assert (sees({role}, page) == ALL) == (page in plain), role
    assert sees({Role.COMPLIANCE}, "holds") == {Personal.WORDS}
    assert sees({Role.FINANCE}, "case") == {Personal.WORDS}
    assert sees({Role.ADMINISTRATOR}, "people") == {Personal.IDENTITY}


def test_the_table_names_pages_that_there_are() -> None:
    assert {page for pages in SEES.values() for page in pages} <= set(PAGES)


def test_roles_add_up() -> None:
    assert sees({Role.FINANCE, Role.COMPLIANCE}, "project") == ALL
    assert sees({Role.FINANCE, Role.MEDIATOR}, "payouts") == ALL
    assert hides({Role.FINANCE}, "case")
    assert not hides({Role.COMPLIANCE}, "case")
    assert hides({Role.COMPLIANCE}, "holds")
    assert not hides({Role.FINANCE, Role.COMPLIANCE}, "case")


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("Ana Lindqvist", "A••• L••• #17"),
        ("Þóra Jónsdóttir", "Þ••• J••• #17"),
        ("True Level Floors LLC", "T••• L••• #17"),
        ("Arden & Lowe", "A••• L••• #17"),
        ("“Bo” (Wilson)", "••• #17"),
        ("李小龙", "李••• #17"),
        ("erased", "erased"),
        ("", ""),
    ],
)
def test_a_name_keeps_its_first_letters_and_its_number(name: str, mask: str) -> None:
    assert masked_name(name, 17) == mask


def test_an_address_keeps_one_letter_and_words_none() -> None:
    assert masked_email("ana@lindqvist.example") == "a•••@…"
    assert masked_words("The worktop is missing.") == "•••"
    assert (masked_email("erased"), masked_words("")) == ("erased", "")


def test_masks_are_found_in_a_line_by_their_numbers() -> None:
    line = f"{masked_name('Ana Lindqvist', 17)} · {masked_name('Ben Okafor', 2)}"
    assert masks_in(line) == {17: "A••• L••• #17", 2: "B••• O••• #2"}
    assert masks_in(f"{masked_name('&', 9)} paid") == {9: "••• #9"}
    assert masks_in("Order #17 of nobody") == {}


def test_an_alarm_is_raised_once_when_it_becomes_many() -> None:
    assert not alarming(0, MANY)
    assert alarming(0, MANY + 1)
    assert alarming(MANY, MANY + 1)
    assert not alarming(MANY + 1, MANY + 2)


def test_of_a_document_ids_codes_amounts_and_moments_stay_and_nothing_of_a_person() -> None:
    stays = {
        "id": "ch_3Pq",
        "type": "charge.succeeded",
        "livemode": False,
        "amount": 10_250,
        "currency": "usd",
        "status": "PAID_HELD",
        "created_at": "2026-11-30T19:00:00.123+00:00",
        "bid_reference": "bid-17-a",
        "lines": [{"net": -5, "kind": None}],
    }
    assert masked_json(stays) == stays
    hides = {
        "receipt_email": "ana@example.org",
        "billing_details": {
            "name": "ana",
            "address": {"city": "portland", "postal_code": 97_201},
            "phone": "+1",
        },
        "customer_name": "Ben",
        "last4": "4242",
        "dob": {"day": 3},
        "outcome": "Seller says no",
        "from": "Ana",
        "answer": ["yes"],
    }
    assert set(leaves(masked_json(hides))) == {"•••"}


def test_of_a_person_in_a_document_only_the_id_stays() -> None:
    owner = {"owner": {"id": "cus_NffrFeUfNV2Hib", "name": "ana", "age": 41}}
    assert masked_json(owner) == {"owner": {"id": "cus_NffrFeUfNV2Hib", "name": "•••", "age": "•••"}}


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value
