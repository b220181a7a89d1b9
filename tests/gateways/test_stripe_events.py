"""What an event is about: only an id of the right kind ever becomes part of an address."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateways import stripe_events, stripe_ids
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_events import EventUnusable, Subject
from core.gateways.stripe_ids import PREFIXES, IdKind, IdUnusable

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
IDS = (
    st.sampled_from(["pi_1", "..", ".", "", "/", "pi_../..", "pi_%2e", "pi_1?x=1", "acct_1", "pi_1\n"]) | JSON
)
KINDS = st.sampled_from(
    [
        "payment_intent.succeeded",
        "charge.updated",
        "charge.dispute.created",
        "refund.updated",
        "payout.paid",
        "transfer.created",
        "v1.charge.updated",
        "v2.core.account.updated",
        "moon.eclipsed",
    ]
)
OBJECTS = st.fixed_dictionaries(
    {}, optional={"id": IDS, "payment_intent": IDS | st.fixed_dictionaries({"id": IDS}), "object": JSON}
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "object": st.sampled_from(["event", "v2.core.event"]) | JSON,
        "account": IDS,
        "context": IDS,
        "created": JSON,
        "data": st.fixed_dictionaries({}, optional={"object": OBJECTS | JSON}) | JSON,
        "related_object": OBJECTS | JSON,
    },
)


def carrying(**about: Any) -> dict[str, Any]:
    return {"object": "event", "data": {"object": about}}


def naming(**about: Any) -> dict[str, Any]:
    return {"object": "v2.core.event", "related_object": about}


@pytest.mark.parametrize(
    ("kind", "payload", "about"),
    [
        ("charge.dispute.created", carrying(id="du_1"), Subject("dispute", "du_1", None)),
        ("payment_intent.succeeded", carrying(id="pi_1"), Subject("payment_intent", "pi_1", None)),
        (
            "charge.updated",
            carrying(id="ch_1", payment_intent="pi_1"),
            Subject("payment_intent", "pi_1", None),
        ),
        (
            "charge.updated",
            carrying(id="ch_1", payment_intent={"id": "pi_1", "object": "payment_intent"}),
            Subject("payment_intent", "pi_1", None),
        ),
        ("charge.updated", carrying(id="ch_1", payment_intent=None), None),
        ("payout.paid", carrying(id="po_1") | {"account": "acct_1"}, Subject("payout", "po_1", "acct_1")),
        ("v1.charge.updated", naming(id="ch_1"), Subject("charge", "ch_1", None)),
        ("v1.charge.dispute.closed", naming(id="du_1"), Subject("dispute", "du_1", None)),
        (
            "v1.payout.paid",
            naming(id="po_1") | {"context": "org_1/acct_1"},
            Subject("payout", "po_1", "acct_1"),
        ),
        ("v2.core.account.updated", naming(id="acct_1"), None),
        ("moon.eclipsed", {}, None),
    ],
)
def test_an_event_says_where_to_look(kind: str, payload: dict[str, Any], about: Subject | None) -> None:
    assert stripe_events.subject(kind, payload) == about


@pytest.mark.parametrize(
    ("kind", "payload", "field"),
    [
        ("refund.updated", {}, "data.object"),
        ("refund.updated", {"data": {"object": 7}}, "data.object"),
        ("refund.updated", carrying(id=True), "data.object id"),
        ("refund.updated", carrying(id=""), "data.object id"),
        ("charge.updated", carrying(id="ch_1", payment_intent=["pi_1"]), "payment intent id"),
        ("charge.updated", carrying(id="ch_1", payment_intent=True), "payment intent id"),
        ("charge.updated", carrying(id="ch_1", payment_intent={"id": 5}), "payment intent id"),
        ("payout.paid", carrying(id="po_1") | {"account": 5}, "account"),
        ("v1.charge.updated", {"object": "v2.core.event"}, "related object"),
        ("v1.charge.updated", naming(id=["ch_1"]), "related object id"),
    ],
)
def test_what_does_not_say_it_is_refused_by_the_name_of_the_field(
    kind: str, payload: dict[str, Any], field: str
) -> None:
    with pytest.raises(EventUnusable) as refused:
        stripe_events.subject(kind, payload)
    assert refused.value.message.startswith(f"This event does not say what it is about: its {field} is ")


@pytest.mark.parametrize("kind", IdKind)
@pytest.mark.parametrize("found", ["..", ".", "", "x", "_", "cs_1", None, 7, True, [], {"id": "pi_1"}])
def test_what_is_no_id_becomes_part_of_no_address(kind: IdKind, found: Any) -> None:
    with pytest.raises(IdUnusable) as refused:
        stripe_ids.of(kind, found)
    article = "an" if kind.startswith("a") else "a"
    assert f"is not the id of {article} {kind}, which begins with" in refused.value.message


@pytest.mark.parametrize("kind", IdKind)
@pytest.mark.parametrize("rest", ["", "..", "1/..", "1?expand=x", "1#", "1\n", "ä", "x" * 251])
def test_nor_does_the_right_prefix_with_anything_but_letters_and_digits(kind: IdKind, rest: str) -> None:
    for prefix in PREFIXES[kind]:
        with pytest.raises(IdUnusable):
            stripe_ids.of(kind, prefix + rest)
        assert stripe_ids.of(kind, f"{prefix}1Nb_2") == f"{prefix}1Nb_2"


def test_every_question_and_every_call_that_takes_an_id_checks_it_before_anything_is_sent() -> None:
    """Nobody listens at that address, so whatever was sent would be `NotRead`."""
    stripe = StripePayments("sk_test_x", base="http://127.0.0.1:9")
    for ask in (
        lambda: stripe.payee_account(".."),
        lambda: stripe.charge_of(".."),
        lambda: stripe.charge_by_id(".."),
        lambda: stripe.refund_by_id(".."),
        lambda: stripe.transfer_by_id(".."),
        lambda: stripe.reversal_by_id("..", "trr_1"),
        lambda: stripe.reversal_by_id("tr_1", ".."),
        lambda: stripe.reversal_of(".."),
        lambda: stripe.payout_by_id("..", account=None),
        lambda: stripe.payout_by_id("po_1", account=".."),
        lambda: stripe.dispute_by_id(".."),
        lambda: stripe.find_reversal("op", transfer=".."),
        lambda: stripe.balance(account=".."),
        lambda: stripe.replace_bank("op", "op:1", account="..", bank_token="btok_1"),
        lambda: stripe.accept_dispute("op:1", dispute=".."),
        lambda: stripe.submit_evidence("op", "op:1", dispute="..", evidence={}, submit=False),
    ):
        with pytest.raises(IdUnusable):
            ask()


@given(kind=KINDS, payload=EVENTS)
def test_any_payload_is_an_event_that_says_where_to_look_or_why_it_cannot(
    kind: str, payload: dict[str, Any]
) -> None:
    event = stripe_events.event({"id": "evt_1", "type": kind, **payload}, now=NOW)
    assert 2010 <= event.created.year < 2200
    assert event.object_id is None or isinstance(event.object_id, str)
    with suppress(EventUnusable):
        about = stripe_events.subject(kind, payload)
        assert about is None or (isinstance(about.id, str) and about.id and about.account != "")
