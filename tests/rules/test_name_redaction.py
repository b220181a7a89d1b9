"""Names give way to roles wherever they stand, and ordinary words stay."""

from __future__ import annotations

from itertools import product

import pytest

from core.rules import name_redaction

COVER = name_redaction.redaction(
    [("Ana Lindqvist", "the homeowner"), ("True Level Floors", "the contractor")]
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ana Lindqvist paid.", "the homeowner paid."),
        ("ANA paid; lindqvist's card.", "the homeowner paid; the homeowner's card."),
        ("okay-ana.txt", "okay-the homeowner.txt"),
        ("It is true: the level is off, floors and all.", "It is true: the level is off, floors and all."),
        (
            "True Level Floors came. TRUE LEVEL did not.",
            "the contractor came. the contractor the contractor did not.",
        ),
        ("Write to ana.l@example.com", "Write to (address hidden)"),
        ("Banana and Anabel stay.", "Banana and Anabel stay."),
        ("", ""),
    ],
)
def test_names_and_addresses_are_replaced_and_nothing_else(text: str, shown: str) -> None:
    assert COVER.words(text) == shown


def test_without_names_every_word_stays() -> None:
    assert (
        name_redaction.NameRedaction().words("Ana Lindqvist, ana@example.com")
        == "Ana Lindqvist, ana@example.com"
    )
    assert name_redaction.NameRedaction().lifted


@pytest.mark.parametrize("seen", list(product([None, True, False], *[[True, False]] * 4)))
def test_names_are_hidden_only_from_whoever_decides_an_undecided_case_without_a_judgement(
    seen: tuple[bool | None, bool, bool, bool, bool],
) -> None:
    wanted, default, decides, undecided, revealed = seen
    hidden = name_redaction.hidden(
        wanted=wanted, default=default, decides=decides, undecided=undecided, revealed=revealed
    )
    wish = default if wanted is None else wanted
    assert hidden == (wish and decides and undecided and not revealed)
