"""What a plan says beyond its amount: item by item, in the mediator's words, with what is kept back for a debt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.actions.cases import conversation, disputes
from core.actions.decisions import confirmation, drafts
from core.actions.decisions.confirmation import DecisionNotPending
from core.actions.decisions.plan_letters import PassageUnusable
from core.actions.milestones import verification
from core.actions.risk import holds
from core.errors import ChangedMeanwhile, ReasonMissing
from core.money import Money
from core.queries import cases, decision_changes, evidence
from core.queries.decision_changes import Comparison
from core.records import Case, Decision, Notification
from core.rules.cautions import NewsUnread
from core.rules.items import Done, Item, ItemsDoNotSum
from core.rules.permissions import NotPermitted, StepUpRequired
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.actions.test_decisions import ABOVE, approve, legal, now, waiting
from tests.actions.test_reversals import transferred
from tests.builders import Told
from tests.sandbox_desk import Market

WORDS = {
    "payee": "Thank you for the cabinets, Ben.\nThe worktop <b>is</b> missing, as your own photographs show."
}


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def items(*shares: tuple[str, int, Done, int]) -> tuple[Item, ...]:
    return tuple(Item(title, usd(value), done, part) for title, value, done, part in shares)


THREE = items(
    ("Cabinets", 60_000, Done.FULLY, 0),
    ("Worktop", 33_333, Done.PARTLY, 3_333),
    ("Connections", 6_667, Done.NOT, 0),
)


def by_items(told: Told, each: tuple[Item, ...] = THREE, **also: Any) -> confirmation.Draft:
    return builders.a_draft(told, release=usd(1), items=each, **also)


# Item by item


def test_the_release_is_the_sum_of_the_items_whatever_amount_is_said(market: Market) -> None:
    told = market.in_mediation()
    decision = builders.decided(market, told, by_items(told))
    assert (decision.release_minor, decision.refund_minor) == (71_110, 28_890)
    assert [each["earned"] for each in decision.plan["items"]] == [60_000, 11_110, 0]
    market.work()
    assert market.order(told) == {"released": 71_110, "refunded": 28_890}
    market.lawful()


def test_both_letters_name_every_item(market: Market) -> None:
    told = market.in_mediation()
    builders.decided(market, told, by_items(told))
    texts = [each.text for each in market.all(Notification) if "decision" in each.template]
    assert len(texts) == 2
    for text in texts:
        for words in ("Cabinets", "done: $600.00 of $600.00", "partly done (33.33 %): $111.10 of $333.33"):
            assert words in " ".join(text.split())


def test_other_items_are_another_plan_even_for_the_same_amount(market: Market) -> None:
    told = market.in_mediation()
    mia = market.as_staff("mia")
    plan, _ = market.act(confirmation.preview, mia, draft=by_items(told))
    renamed = (replace(THREE[0], title="Cupboards"), *THREE[1:])
    with pytest.raises(ChangedMeanwhile):
        market.act(
            confirmation.confirm,
            mia,
            draft=by_items(told, renamed),
            plan_hash=plan.hash,
            intent="another name",
        )


def test_items_that_are_not_the_held_sum_are_refused(market: Market) -> None:
    told = market.in_mediation()
    with pytest.raises(ItemsDoNotSum):
        market.act(confirmation.preview, market.as_staff("mia"), draft=by_items(told, THREE[:2]))


# In the mediator's words


def test_an_edited_letter_is_delivered_once_word_for_word_between_the_fixed_parts(market: Market) -> None:
    told = market.in_mediation()
    decision = builders.decided(market, told, builders.a_draft(told, release=usd(40_000), passages=WORDS))
    market.work()
    sent = {each.party_id: each for each in market.all(Notification) if "decision" in each.template}
    assert len(sent) == 2
    mine, other = sent[market.payee_id], sent[market.payer_id]
    planned = {each["to"]: each for each in decision.plan["letters"]}
    assert (mine.text, other.text) == (planned[mine.party_id]["text"], planned[other.party_id]["text"])
    words = " ".join(mine.text.split())
    assert "Thank you for the cabinets, Ben. The worktop <b>is</b> missing" in words
    assert "gives these reasons" not in words
    assert "$400.00" in words
    assert "$600.00" in words
    assert "gives these reasons" in other.text
    assert "<b>is</b>" not in mine.html
    assert "&lt;b&gt;is&lt;/b&gt;" in mine.html
    assert [each["audience"] for each in decision.plan["letters"] if "passage" in each] == ["payee"]


def test_a_word_more_in_a_letter_is_another_plan(market: Market) -> None:
    told = market.in_mediation()
    mia, draft = market.as_staff("mia"), builders.a_draft(told, passages=WORDS)
    plan, _ = market.act(confirmation.preview, mia, draft=draft)
    other = replace(draft, passages={"payee": WORDS["payee"] + "!"})
    with pytest.raises(ChangedMeanwhile):
        market.act(confirmation.confirm, mia, draft=other, plan_hash=plan.hash, intent="a word more")


@pytest.mark.parametrize("words", ["", "   ", "No.", "x" * 6_001])
def test_words_that_say_nothing_or_too_much_are_refused(market: Market, words: str) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, passages={"payer": words})
    with pytest.raises(PassageUnusable):
        market.act(confirmation.preview, market.as_staff("mia"), draft=draft)


# Kept back


def test_what_the_payee_owes_is_a_line_of_its_own_and_not_received(market: Market) -> None:
    lost = transferred(market)
    account = market.operations("PAYOUT")[0].payload["account"]
    market.desk.payments.replace_bank("bank", "bank:1", account=account, bank_token="btok_us_verified")
    chargeback = charged_back(market, lost)
    market.desk.payments.payout("by-hand", "by-hand:1", account=account, amount=usd(100_000))
    bank_says(market, chargeback, "lost")
    market.work()
    owed = market.books()["receivable_payee"]
    told = market.in_mediation(usd(300_000), usd(50_000))
    decision = builders.decided(market, told, builders.a_draft(told, release=usd(250_000)))
    amounts = decision.plan["amounts"]
    assert (amounts["kept_back"], amounts["payee_net"]) == (owed, 250_000 - owed)
    transfer = next(each for each in decision.plan["operations"] if each["kind"] == "TRANSFER")
    assert transfer["params"]["amount"] == amounts["payee_net"]
    letter = next(each for each in decision.plan["letters"] if each["audience"] == "payee")["text"]
    assert f"Of it kept back for what you owe us: {usd(owed)}" in " ".join(letter.split())
    told_them = [each.text for each in market.all(Notification) if each.template.startswith("decision")]
    assert letter in told_them
    market.work()
    assert "receivable_payee" not in market.books()
    market.lawful()


def test_without_a_debt_nothing_is_said_of_it(market: Market) -> None:
    told = market.in_mediation()
    plan, _ = market.act(confirmation.preview, market.as_staff("mia"), draft=builders.a_draft(told))
    assert "kept_back" not in plan.content["amounts"]
    assert "kept back" not in plan.content["letters"][1]["text"]


# What is written does not undo what was decided


def a_message(market: Market, told: Told) -> None:
    market.act(conversation.say, market.payer, milestone_id=told.milestone, body="Wait, I am not done.")


def more_details(market: Market, told: Told) -> None:
    market.act(disputes.explain, market.payer, milestone_id=told.milestone, details="And the sink leaks.")


@pytest.mark.parametrize("write", [a_message, more_details])
def test_what_a_party_writes_while_a_decision_waits_does_not_void_it(market: Market, write: Any) -> None:
    told, decision = waiting(market)
    market.wait(minutes=5)
    for _ in range(3):
        write(market, told)
    found = market.read(lambda s: cases.case(s, told.case, staff_id=None)).decision
    assert found is not None
    assert (found.changes, found.news) == ((), 3)
    with pytest.raises(NewsUnread, match=r"^3 of"):
        approve(market, decision, by="ada")
    assert approve(market, decision, by="ada", seen=newest(market, told)).status == "EXECUTED"
    market.work()
    market.lawful()


def test_what_came_in_after_the_last_message_on_the_screen_is_read_first(market: Market) -> None:
    told, decision = waiting(market)
    market.wait(minutes=5)
    a_message(market, told)
    seen = newest(market, told)
    a_message(market, told)
    with pytest.raises(NewsUnread, match=r"^1 of"):
        approve(market, decision, by="ada", seen=seen)
    assert market.get(Decision, decision.id).status == "AWAITING_APPROVAL"
    assert approve(market, decision, by="ada", seen=newest(market, told)).status == "EXECUTED"


def test_whoever_confirms_reads_first_what_came_in_meanwhile(market: Market) -> None:
    told = market.in_mediation()
    a_message(market, told)
    seen = newest(market, told)
    mia, draft = market.as_staff("mia"), builders.a_draft(told, said_until=seen)
    plan, _ = market.act(confirmation.preview, mia, draft=draft)
    given = {"draft": draft, "plan_hash": plan.hash, "intent": "news"}
    a_message(market, told)
    with pytest.raises(NewsUnread):
        market.act(confirmation.confirm, mia, seen=seen, **given)
    assert market.act(confirmation.confirm, mia, seen=newest(market, told), **given).status == "EXECUTED"


def newest(market: Market, told: Told) -> int:
    return market.read(lambda s: evidence.newest(s, told.milestone))


def test_an_answer_that_a_case_waits_for_does_not_void_the_decision_made_meanwhile(market: Market) -> None:
    told = market.in_mediation(*ABOVE)
    mia, due = market.as_staff("mia"), market.now + timedelta(days=6)
    market.act(
        conversation.ask,
        mia,
        case_id=told.case,
        party_id=market.payer_id,
        question="When?",
        answer_due_at=due,
    )
    decision = builders.decided(market, told)
    market.wait(minutes=5)
    a_message(market, told)
    assert market.get(Case, told.case).status == "UNDER_REVIEW"
    assert approve(market, decision, by="ada", seen=newest(market, told)).status == "EXECUTED"


def test_a_message_while_the_plan_is_read_does_not_stop_its_confirmation(market: Market) -> None:
    told = market.in_mediation()
    mia, draft = market.as_staff("mia"), builders.a_draft(told)
    plan, _ = market.act(confirmation.preview, mia, draft=draft)
    (cited,) = [each for each in plan.content["citations"] if each["reference"] == "MESSAGE_HISTORY"]
    a_message(market, told)
    with pytest.raises(ChangedMeanwhile):
        market.act(confirmation.confirm, mia, draft=draft, plan_hash=plan.hash, intent="not pinned")
    pinned = replace(draft, said_until=cited["id"])
    market.act(confirmation.confirm, mia, draft=pinned, plan_hash=plan.hash, intent="pinned")


def test_messages_while_it_cools_off_void_nothing_and_a_mediator_may(market: Market) -> None:
    told = legal(market)
    kept, taken = builders.decided(market, told), None
    market.wait(hours=1)
    a_message(market, told)
    market.later(hours=23)
    assert now(market, kept).status == "EXECUTED"
    told = market.in_mediation(project_type="DOCUMENT_REVIEW")
    taken = builders.decided(market, told)
    with pytest.raises(ReasonMissing):
        market.act(confirmation.withdraw, market.as_staff("max"), decision_id=taken.id, reason=" ")
    with pytest.raises(NotPermitted):
        market.act(confirmation.withdraw, market.as_staff("fay"), decision_id=taken.id, reason="I would not.")
    late = replace(market.as_staff("max"), authenticated_at=market.now.replace(year=2025))
    with pytest.raises(StepUpRequired):
        market.act(confirmation.withdraw, late, decision_id=taken.id, reason="They found it.")
    market.act(confirmation.withdraw, market.as_staff("max"), decision_id=taken.id, reason="They found it.")
    assert (now(market, taken).status, now(market, taken).check_note) == ("VOIDED", "They found it.")
    market.later(hours=30)
    assert market.order(told) == {"held": 100_000}
    with pytest.raises(DecisionNotPending):
        market.act(confirmation.withdraw, market.as_staff("max"), decision_id=kept.id, reason="Too late.")
    market.lawful()


# And back to the draft


def returned(market: Market, **also: Any) -> tuple[Told, Decision, dict[str, Any]]:
    told = market.in_mediation(*ABOVE)
    whole = (*items(("Cabinets", 400_000, Done.FULLY, 0), ("Rest", 200_000, Done.PARTLY, 6_250)),)
    decision = builders.decided(market, told, by_items(told, whole, passages=WORDS, **also))
    market.act(
        confirmation.send_back, market.as_staff("ada"), decision_id=decision.id, note="Ask for photographs."
    )
    found = market.read(lambda s: drafts.find(s, market.as_staff("mia"), case_id=told.case))
    assert found is not None
    return told, decision, found.content


def test_a_returned_decision_is_its_makers_draft_again_whole(market: Market) -> None:
    _, _, content = returned(market)
    assert content == {
        "outcome": "PARTIAL_RELEASE",
        "ground": "PARTIAL_WORK",
        "reasons": builders.REASONS,
        "by": "items",
        "items": [1, 2],
        "item-1-title": "Cabinets",
        "item-1-value": "4000.00",
        "item-1-done": "FULLY",
        "item-1-part": "",
        "item-2-title": "Rest",
        "item-2-value": "2000.00",
        "item-2-done": "PARTLY",
        "item-2-part": "62.5",
        "passage-payee": WORDS["payee"],
        "cites-ENGAGEMENT_SCOPE": True,
        "cites-MESSAGE_HISTORY": True,
        "cites-MILESTONE_EVIDENCE": True,
    }


def compared(market: Market, told: Told) -> Comparison:
    def read(session: Any) -> Comparison:
        case = cases.case(session, told.case, staff_id=None)
        assert case.decision is not None
        return decision_changes.of(session, case, case.decision)

    return market.read(read)


def test_the_next_plan_is_shown_beside_the_one_that_came_back(market: Market) -> None:
    told, _, _ = returned(market)
    builders.decided(market, told, builders.a_draft(told, release=usd(450_000)))
    differs = {each.what: (each.before, each.after) for each in compared(market, told).before}
    assert differs["Released to the payee"] == ("$5,250.00", "$4,500.00")
    assert differs["Item “Cabinets”"] == ("done: $4,000.00 of $4,000.00", "—")
    assert differs["Words to the payee"] == (WORDS["payee"], "generated from the plan")
    assert "Outcome" not in differs


def test_what_would_be_otherwise_now_is_shown_in_amounts_and_holds_in_words(market: Market) -> None:
    paid = market.submitted(Money(90_000, "USD"))
    market.act(verification.approve, market.payer, milestone_id=paid.milestone)
    market.work()
    told, decision = waiting(market)
    market.wait(minutes=5)
    placed = market.act(
        holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="A report came in."
    )
    assert placed is not None
    bank_says(market, charged_back(market, paid), "lost")  # the payee owes for it from now on
    found = compared(market, told)
    assert [each.sentence for each in found.stops] == [f"Hold H-{placed.id} is in place: A report came in."]
    differs = {each.what: (each.before, each.after) for each in found.now}
    assert differs == {
        "Set off against the payee's debt": ("$0.00", "$900.00"),
        "Payee receives": ("$6,000.00", "$5,100.00"),
    }
    assert now(market, decision).status == "AWAITING_APPROVAL"
