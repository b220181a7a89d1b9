"""Names, places and addresses from outside are kept in one way, or refused with the reason."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rules import outside_words
from core.rules.outside_words import COUNTRIES, SamePlace, WordsUnusable, has_mailbox
from core.rules.visible_text import says_something, tidy

UNSEEN = ["", " ", " \t ", "\u200b", "\u202e", "\u2066\u2069", "\ufeff\u00ad", "\u200d", "\u3164"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("  New   kitchen ", "New kitchen"),
        ("New\u00a0kitchen", "New kitchen"),
        ("New\u200b kit\u00adchen", "New kitchen"),
        ("\u202eNew kitchen\u202c", "New kitchen"),
        ("Cafe\u0301", "Café"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("שלום", "שלום"),
    ],
    ids=ascii,
)
def test_a_line_is_kept_in_one_way(said: str, kept: str) -> None:
    assert outside_words.line(said, field="title") == kept
    assert outside_words.place(said, field="city") == kept


@pytest.mark.parametrize("said", UNSEEN, ids=ascii)
def test_a_line_that_nobody_sees_is_refused(said: str) -> None:
    with pytest.raises(WordsUnusable, match="The title cannot be used: nothing in it can be seen"):
        outside_words.line(said, field="title")


@pytest.mark.parametrize("said", UNSEEN[1:], ids=ascii)
def test_a_place_that_was_given_and_says_nothing_is_refused_and_none_is_none(said: str) -> None:
    with pytest.raises(WordsUnusable):
        outside_words.place(said, field="city")
    assert outside_words.place("", field="city") == ""


def test_a_line_has_at_most_two_hundred_characters() -> None:
    assert len(outside_words.line("x" * 200, field="title")) == 200
    with pytest.raises(WordsUnusable, match="longer than 200"):
        outside_words.line("x" * 201, field="title")


@pytest.mark.parametrize("said", [" a", "a ", "a  b", "a\u200b", "a\u202e", "cafe\u0301", *UNSEEN], ids=ascii)
def test_an_id_that_looks_like_another_is_refused(said: str) -> None:
    with pytest.raises(WordsUnusable):
        outside_words.identifier(said, field="id")


def test_an_id_is_kept_to_the_letter() -> None:
    assert outside_words.identifier("market-PAYER-1 é", field="id") == "market-PAYER-1 é"


@given(text=st.text(max_size=60))
def test_what_is_tidy_stays_as_it_is(text: str) -> None:
    kept = tidy(text)
    assert tidy(kept) == kept == kept.strip()
    assert unicodedata.is_normalized("NFC", kept)
    assert not says_something(text) or says_something(kept)


@pytest.mark.parametrize("code", ["ZZ", "XX", "UK", "EU", "us", "", "USA", "U", "A1"])
def test_a_country_that_is_none_is_refused(code: str) -> None:
    with pytest.raises(WordsUnusable):
        outside_words.country(code)


def test_there_are_as_many_countries_as_the_standard_has() -> None:
    assert len(COUNTRIES) == 249
    assert {"US", "DE", "JP", "KW", "GB", "NO"} <= COUNTRIES
    assert outside_words.country("DE") == "DE"


@pytest.mark.parametrize(
    "address",
    [
        "a@b.", "a@b", "a@.b", "a@b..c", "a@-b.com", "a@b-.com", "a@1.2.3.4", "@b.com", "a", "", ".a@b.com",
        "a.@b.com", "a..b@b.com", f"a@{'b' * 64}.com", "a@b .com", "a@[1.2.3.4]",
        "a@b.c", "a@b.invalid", "a@host.localhost",
    ],
)  # fmt: skip
def test_an_address_that_is_nobodys_is_refused(address: str) -> None:
    assert not has_mailbox(address)


@pytest.mark.parametrize("address", ["a@b.co", "ana.lindqvist+x@mail.example.com", "é@xn--bcher-kva.example"])
def test_an_address_that_may_be_somebodys_is_taken(address: str) -> None:
    assert has_mailbox(address)


@pytest.mark.parametrize(
    "mark",
    ["\U000e0041", "\U000e0100", "\u180b", "\u17b4", "\ue000", "\U0005ffff", "\ufdd0", "\u200d", "\u3164"],
    ids=ascii,
)
def test_an_id_with_a_mark_that_nobody_sees_is_refused(mark: str) -> None:
    """Two of them would look the same."""
    with pytest.raises(WordsUnusable):
        outside_words.identifier(f"party{mark}7", field="id")
    with pytest.raises(WordsUnusable, match="nothing in it can be seen"):
        outside_words.line(mark, field="name")


def test_tags_stay_in_flags_and_go_elsewhere() -> None:
    scotland = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    assert outside_words.line(f"Kitchen {scotland} a\U000e0041b", field="title") == f"Kitchen {scotland} ab"


@pytest.mark.parametrize("same", ["Texas", "texas", " Texas ", "TEXAS\u200b"])
def test_a_practice_is_not_of_another_state_than_its_own(same: str) -> None:
    with pytest.raises(SamePlace, match="licensed in Texas, and the work is done there"):
        outside_words.two_places(same, "Texas")
    outside_words.two_places("Oregon", "Texas")
