from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from core import letters
from core.letters import FactMissing, NoSuchLetter, rendering
from core.letters.delivery_rules import HANDLING, MUTABLE
from core.money import Money
from core.policy import HOME_SERVICES, Platform
from core.rules import acceptance

PLATFORMS = tuple(Platform)
ADDRESSED = sorted(letters.TEMPLATES)
HOSTILE = (
    "<script>alert(1)</script>",
    '"\' onmouseover="x',
    "{project} {0.__class__} %s",
    "first\r\nBcc: everyone@example.com",
    "nul\x00 bell\x07 \ud800 \u202egnp.exe",
    "</blockquote></main><img src=http://example.com/x>",
    "ż" * 5000,
    "-- \nnot the end",
)
ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "body",
    "div",
    "main",
    "h1",
    "p",
    "table",
    "tr",
    "th",
    "td",
    "br",
    "blockquote",
    "h2",
}

# Every arrow to the homeowner or the contractor in the sequence diagram of milestone-payment-flow.
ARROWS = {
    "Show Milestone Configuration": [("milestones_proposed", "payer")],
    "Display Payment Schedule": [("payment_schedule", "payer")],
    "Notify Project Start": [("project_started", "payee")],
    "Confirm Escrow Deposit": [("funds_held", "payer")],
    "Notify Milestone Funded": [("milestone_funded", "payee")],
    "Request Milestone Verification": [("verification_requested", "payer")],
    "Send Reminder Notification": [("verification_reminder", "payer")],
    "Notify Payment Sent": [("payment_sent", "payee")],
    "Confirm Release": [("release_confirmed", "payer")],
    "Notify Dispute": [("dispute_opened", "payee")],
    "Forward Dispute Details": [("dispute_details", "payee")],
    "Request Verification Again": [("verification_again", "payer")],
    "Notify Decision, Notify Full Payment": [
        ("decision_full_release", "payer"),
        ("decision_full_release", "payee"),
    ],
    "Notify Partial Refund, Notify Partial Payment": [
        ("decision_partial_release", "payer"),
        ("decision_partial_release", "payee"),
    ],
    "Notify Full Refund, Notify Decision": [
        ("decision_full_refund", "payer"),
        ("decision_full_refund", "payee"),
    ],
    "Request Next Milestone Funding": [("next_milestone_funding", "payer")],
    "Notify Next Milestone Active": [("next_milestone_active", "payee")],
    "Request Project Review": [("project_review_request", "payer"), ("project_review_request", "payee")],
    "Thank for Project Completion": [("thanks", "payer"), ("thanks", "payee")],
    "Payment Failure: notification to homeowner": [("payment_failed", "payer")],
    "Payout Failure: administrative review": [("payout_failed", "payee"), ("payout_to_review", "staff")],
    "Payout Failure: alternative payout methods offered": [("payout_methods_offered", "payee")],
    "Dispute Deadlock: escalation to platform administrators": [("case_escalated", "staff")],
}


class Tags(HTMLParser):
    """What a mail program would find in a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def facts_for(template: str, audience: str, value: Any, *, platform: str = PLATFORMS[0]) -> dict[str, Any]:
    """Every fact that the letter can use, all with the same value."""
    needed, welcome = letters.needs(template, audience)
    facts: dict[str, Any] = dict.fromkeys(needed | welcome | {"project"}, value)
    if "level" in facts:
        facts["level"] = 3
    return {**facts, "platform": platform}


@pytest.mark.parametrize(("template", "audience"), ADDRESSED)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_hostile_facts_are_only_ever_words(template: str, audience: str, platform: str) -> None:
    for value in HOSTILE:
        letter = letters.render(template, audience, **facts_for(template, audience, value, platform=platform))
        found = Tags(letter.html)
        assert found.names <= ALLOWED
        assert not found.attributes & {"src", "href", "onmouseover", "background"}
        assert len(letter.subject.splitlines()) == 1
        assert len(letter.subject) <= 160
        for part in (letter.subject, letter.text, letter.html):
            part.encode("utf-8")
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", part)


@pytest.mark.parametrize(("template", "audience"), ADDRESSED)
def test_every_letter_is_whole_and_never_says_escrow(template: str, audience: str) -> None:
    letter = letters.render(template, audience, **facts_for(template, audience, "Tiles"))
    assert "{" not in letter.subject + letter.text
    for part in (letter.subject, letter.text, " ".join(Tags(letter.html).words)):
        assert "escrow" not in part.lower()
    assert '<html lang="en">' in letter.html
    assert letter.html.count("<h1") == 1
    assert "http" not in letter.html
    assert "url(" not in letter.html


@pytest.mark.parametrize(("template", "audience"), ADDRESSED)
def test_a_letter_without_a_needed_fact_is_refused_by_name(template: str, audience: str) -> None:
    for name in letters.needs(template, audience)[0]:
        facts = facts_for(template, audience, "Tiles") | {name: None}
        with pytest.raises(FactMissing, match=name):
            letters.render(template, audience, **facts)


@pytest.mark.parametrize(("template", "audience"), ADDRESSED)
def test_no_letter_needs_a_fact_that_is_called_optional(template: str, audience: str) -> None:
    needed, _ = letters.needs(template, audience)
    facts = dict.fromkeys(needed, "Tiles") | {"project": "Kitchen"}
    letters.render(template, audience, **facts | ({"level": 1} if "level" in needed else {}))


@pytest.mark.parametrize("arrow", ARROWS)
def test_every_arrow_to_a_party_has_its_letter(arrow: str) -> None:
    assert all(addressed in letters.TEMPLATES for addressed in ARROWS[arrow])


def test_the_payee_is_never_sent_the_payers_letter() -> None:
    with pytest.raises(NoSuchLetter):
        letters.render("funds_held", "payee", project="Kitchen")


def test_the_platform_chooses_what_people_are_called() -> None:
    homes, law, unknown = (
        letters.render(
            "milestone_funded", "payee", **facts_for("milestone_funded", "payee", "x", platform=platform)
        ).text
        for platform in (*PLATFORMS, "")
    )
    assert "Your homeowner has funded" in homes
    assert "Your client has funded" in law
    assert "Your customer has funded" in unknown


def test_reminders_rise_and_stay_at_the_highest_level() -> None:
    facts = facts_for("verification_reminder", "payer", "Tiles")
    subjects = [
        letters.render("verification_reminder", "payer", **facts | {"level": level}).subject
        for level in range(1, 7)
    ]
    assert len(set(subjects[:3])) == 3
    assert set(subjects[2:]) == {"Urgent: “Tiles” still waits for your answer"}


def test_money_and_times_are_written_for_people() -> None:
    letter = letters.render(
        "verification_requested",
        "payer",
        project="Kitchen",
        milestone="Tiles",
        amount=Money(104356, "USD"),
        dispute_until=datetime(2026, 11, 21, 14, 30, tzinfo=UTC),
        auto_approve_at=date(2026, 11, 23),
    )
    assert "$1,043.56" in letter.text
    assert "until Saturday 21 November 2026, 14:30 UTC." in " ".join(letter.text.split())
    assert "by Monday 23 November 2026," in " ".join(letter.text.split())


def test_a_schedule_may_be_pairs_or_lines() -> None:
    pairs = [("1. Tiles: large", Money(5000, "USD")), ("2. Paint", Money(7000, "USD"))]
    lines = "1. Tiles: large: $50.00\n2. Paint: $70.00"
    one, other = (
        letters.render("payment_schedule", "payer", project="Kitchen", total="$120.00", schedule=schedule)
        for schedule in (pairs, lines)
    )
    assert one == other
    assert "  1. Tiles: large:  $50.00\n  2. Paint:         $70.00" in one.text


def test_a_quotation_keeps_its_lines_and_is_marked() -> None:
    letter = letters.render(
        "dispute_details",
        "payee",
        project="Kitchen",
        milestone="Tiles",
        details="They crack.\n\n<All> of them.",
    )
    assert "> They crack.\n>\n> <All> of them." in letter.text
    assert "They crack.<br>\n<br>\n&lt;All&gt; of them." in letter.html


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colour", [rendering.INK, rendering.QUIET, *rendering.ACCENT.values()])
def test_every_text_colour_can_be_read(colour: str) -> None:
    assert contrast(colour, rendering.SHEET) >= 7
    if colour == rendering.QUIET:
        assert contrast(colour, rendering.GROUND) >= 6.5


# How each is handled


def test_every_letter_has_its_line_in_the_table_and_no_line_is_left_over() -> None:
    assert set(HANDLING) == {template for template, _ in letters.TEMPLATES}


def test_letters_to_staff_and_about_money_answers_disputes_and_decisions_are_urgent() -> None:
    for template, audience in ADDRESSED:
        if audience == "staff" or template.startswith(
            ("decision", "dispute", "offer", "verification", "refund")
        ):
            assert HANDLING[template].urgent, template
            assert HANDLING[template].kept, template
    assert not any(HANDLING[template].urgent for template in MUTABLE)


def test_each_name_of_a_letter_is_one_that_a_page_can_show() -> None:
    names = [each.words for each in HANDLING.values()]
    assert len(set(names)) == len(names)
    assert all(name == name.strip() and name[0].isupper() and "escrow" not in name.lower() for name in names)


# The text and the HTML


def squeezed(text: str) -> str:
    return "".join(mark for mark in text if mark.isalnum())


@pytest.mark.parametrize(("template", "audience"), ADDRESSED)
def test_the_text_and_the_html_say_the_same(template: str, audience: str) -> None:
    letter = letters.render(template, audience, **facts_for(template, audience, "Tiles & <grout>"))
    words = "".join(Tags(letter.html.partition("</title>")[2]).words)
    assert squeezed(letter.text) == squeezed(words)


def test_letters_together_say_what_each_says_and_stay_words() -> None:
    for value in HOSTILE:
        each = [
            letters.render(
                "next_milestone_active", "payee", **facts_for("next_milestone_active", "payee", value)
            )
            for _ in range(3)
        ]
        mail = letters.together(each, [value, "Garden"])
        found = Tags(mail.html)
        assert found.names <= ALLOWED
        assert not found.attributes & {"src", "href", "onmouseover", "background"}
        assert mail.subject == "3 updates about 2 of your projects"
        assert (mail.html.count("<h1"), mail.html.count("<h2"), mail.html.count("<main")) == (1, 3, 1)
        body = "".join(Tags(mail.html.partition("</title>")[2]).words)
        for letter in each:
            inside = letter.text.rpartition("\n\n-- \n")[0]
            assert squeezed(inside) in squeezed(mail.text)
            assert squeezed(inside) in squeezed(body)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", mail.subject + mail.text)


def test_letters_about_one_project_name_it_in_the_subject() -> None:
    one = letters.render("thanks", "payer", project="Kitchen")
    long = "Kitchen " * 50
    assert letters.together([one, one], ["Kitchen", "Kitchen"]).subject == "2 updates about “Kitchen”"
    assert len(letters.together([one, one], [long, long]).subject) == 160


# What is true at the time


def reminder(**facts: Any) -> str:
    given = {"level": 4, "amount": "$1.00", "project": "Kitchen", "milestone": "Tiles"} | facts
    return " ".join(letters.render("verification_reminder", "payer", **given).text.split())


def test_a_reminder_after_the_dispute_window_offers_a_complaint_and_no_dispute() -> None:
    until = datetime(2026, 3, 7, 9, 0, tzinfo=UTC)
    assert "You can open a dispute until Saturday 7 March 2026, 09:00 UTC." in reminder(dispute_until=until)
    late = reminder(dispute_over=True)
    assert "has passed" in late
    assert "please complain now" in late
    assert "open a dispute until" not in late


def test_without_approval_by_silence_nothing_is_threatened() -> None:
    assert "Nothing is released before you answer." in reminder()


def test_a_payee_whose_money_waits_is_not_told_that_it_is_released() -> None:
    facts = facts_for("milestone_approved", "payee", "Tiles")
    waits, goes = (
        letters.render("milestone_approved", "payee", **facts | {"waits": each}).text
        for each in (True, False)
    )
    assert "Released to you" in goes
    assert "Released to you" not in waits
    assert "still among the held funds" in " ".join(waits.split())


@pytest.mark.parametrize(
    ("rule", "stays"),
    [
        ("AUTO_RELEASE", "until you have not answered for 7 days after the notice that it is done"),
        ("CLIENT_CONFIRMS", "until you verify the work, or until a dispute is settled."),
        ("SESSION_COMPLETED", "until the session has taken place and the time to dispute it is over"),
    ],
)
def test_the_letter_of_a_payment_promises_what_the_acceptance_rule_does(rule: str, stays: str) -> None:
    """It promised that only a verification or a decision moves the money, where seven days of silence do."""
    facts = facts_for("funds_held", "payer", "Tiles") | acceptance.told(rule, HOME_SERVICES)
    said = " ".join(letters.render("funds_held", "payer", **facts).text.split())
    assert stays in said
    assert "letter" not in said


def test_no_email_calls_itself_a_letter() -> None:
    for template, audience in ADDRESSED:
        said = letters.render(template, audience, **facts_for(template, audience, "Tiles")).text
        assert "letter" not in said.lower(), (template, audience)
