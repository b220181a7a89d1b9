"""What stands around a letter when it is sent, and how easily a decision is understood."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from core import letters
from core.config import Settings
from core.letters.frame import Frame, framed
from core.money import Money
from tests import readability
from tests.test_letters import ADDRESSED, ALLOWED, HOSTILE, PLATFORMS, Tags, facts_for, squeezed

LINK = "https://homes.example/projects/7"
LONG = "Bartholomäus Konstantin Wolkenstein-Trostburg Renovation and Restoration Partners"
DECISIONS = [
    (template, audience)
    for template, audience in ADDRESSED
    if template.startswith(("decision_", "correction_")) and audience != "staff"
]


def around(template: str, **changed: Any) -> Frame:
    known = {"link": LINK, "contact": "help@homes.example", "templates": frozenset({template})}
    return Frame(**{"name": "Ada Lovelace", "references": ("case D-3", "project P-7"), **known, **changed})


def sent(template: str, audience: str, **facts: Any) -> tuple[str, str]:
    letter = letters.render(template, audience, **facts)
    return framed(letter.text, letter.html, around(template))


@pytest.mark.parametrize(("template", "audience"), ADDRESSED)
def test_every_email_names_its_reader_its_references_the_link_and_the_contact(
    template: str, audience: str
) -> None:
    text, html = sent(template, audience, **facts_for(template, audience, "Tiles & <grout>"))
    for each in ("Hello Ada Lovelace,", "Reference: case D-3, project P-7.", LINK, "help@homes.example"):
        assert each in " ".join(text.split())
        assert each in html
    assert html.count(f'href="{LINK}"') == html.count("href=") == 1
    assert squeezed(text) == squeezed("".join(Tags(html.partition("</title>")[2]).words))
    assert text.count("\n\n-- \n") == 1


def test_names_and_addresses_are_only_ever_words() -> None:
    letter = letters.render("funds_held", "payer", **facts_for("funds_held", "payer", "Tiles"))
    for value in HOSTILE:
        text, html = framed(
            letter.text, letter.html, around("funds_held", name=value, link=f"https://x/{value}")
        )
        assert Tags(html).names <= ALLOWED | {"a"}
        assert not Tags(html).attributes & {"src", "onmouseover", "background"}
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text.partition("sign in")[0]
        )


def test_what_is_not_set_is_not_said() -> None:
    letter = letters.render("funds_held", "payer", **facts_for("funds_held", "payer", "Tiles"))
    text, html = framed(letter.text, letter.html, Frame("Ada", ()))
    assert text.replace("Hello Ada,\n\n", "") == letter.text
    for word in ("Reference", "sign in", "write to"):
        assert word not in text + html


@pytest.mark.parametrize("template", [name for name, side in DECISIONS if side == "payee"])
def test_only_a_decision_that_was_carried_out_says_how_to_object_to_it(template: str) -> None:
    text, _ = sent(template, "payee", **facts_for(template, "payee", "Tiles"))
    can = template in {"decision_full_release", "decision_partial_release", "decision_full_refund"}
    assert ("If you think that we missed something, write to us" in " ".join(text.split())) is can


def test_settings_choose_the_contact_and_the_link() -> None:
    plain = Settings(mail_from="Payments <pay@desk.example>")
    assert plain.contact("home_services") == "pay@desk.example"
    assert plain.link("home_services", project=7, milestone=9) == ""
    own = Settings(home_services_contact="a@b.example", home_services_link="https://x/{project}/{milestone}")
    assert (own.contact("home_services"), own.contact("legal_services")) == (
        "a@b.example",
        "payments@localhost",
    )
    assert own.link("home_services", project=7, milestone=9) == "https://x/7/9"
    assert own.link("home_services", project=7, milestone=None) == ""
    for wrong in ({"home_services_contact": "nobody"}, {"desk_url": "javascript:alert(1)"}):
        with pytest.raises(ValidationError):
            Settings(**wrong)  # type: ignore[arg-type]


# A decision is understood by a twelve-year-old


def prose(text: str) -> str:
    """The sentences: without heading, tables, quotations and footer."""
    blocks = text.rpartition("\n\n-- \n")[0].split("\n\n")[1:]
    return "\n\n".join(each for each in blocks if not each.startswith(("  ", ">")) and "http" not in each)


@pytest.mark.parametrize(("template", "audience"), DECISIONS)
@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_decision_is_understood_by_a_twelve_year_old(
    template: str, audience: str, everything: bool, platform: str
) -> None:
    needed, welcome = letters.needs(template, audience)
    facts: dict[str, Any] = dict.fromkeys(needed | {"project"}, LONG)
    if everything:
        facts |= dict.fromkeys(welcome, Money(123_456_789_01, "USD"))
    if "items" in facts:
        facts["items"] = [(LONG, "$1.00")]
    facts |= {name: "Money goes out." for name in ("passage", "reasons", "outcome") if name in facts}
    text = prose(sent(template, audience, **facts, platform=platform)[0])
    lengths = [len(each) for each in readability.sentences(text)]
    assert readability.grade(text) <= 7
    assert sum(lengths) / len(lengths) <= 15
    assert max(lengths) <= 26


def test_the_measure_tells_plain_words_from_others() -> None:
    assert readability.grade("We look at it again. You need to do nothing.") < 3
    hard = "Notwithstanding considerations necessitating administrative determination, reimbursement is discretionary."
    assert readability.grade(hard) > 15
    assert [readability.syllables(word) for word in ("made", "decided", "released", "table", "the")] == [
        *(1, 3, 2, 2, 1)
    ]
