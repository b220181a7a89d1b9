"""A person who is erased, as their marketplace sees them: gone, and said so."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from core.actions.privacy import erasures
from core.records import Party
from tests.api.api_client import ApiClient, code
from tests.api.test_telling import told, watched
from tests.sandbox_desk import Market

__all__ = ["watched"]  # the fixture


def test_whoever_is_erased_is_read_as_erased_and_does_nothing_any_more(
    home: ApiClient, watched: Market
) -> None:
    market = home.market
    first = home.post("/party-details", {"party": home.payer, "city": "Salem"}, key="before")
    assert first.status_code == 200
    market.wait(days=1)
    row = market.act(
        erasures.propose, market.as_staff("cora"), party_id=market.payer_id, reason="They asked for it"
    )
    market.act(erasures.approve, market.as_staff("ada"), erasure_id=row.id, typed=home.payer)
    (event,) = told(watched, "party.erased")
    assert event["party"] == home.payer
    assert [each["field"] for each in told(watched, "party.changed")] == ["city"], "of before, and no more"
    (read,) = home.get(f"/parties?external_id={home.payer}").json()["items"]
    assert (read["name"], read["email"], read["city"]) == ("erased", "erased", "")
    for path, body in (
        ("/party-details", {"party": home.payer, "name": "Back Again"}),
        ("/payment-method", {"party": home.payer, "payment_method": "pm_card_visa"}),
    ):
        answer = home.post(path, body)
        assert (answer.status_code, code(answer)) == (410, "party_erased"), path
    again = home.post("/party-details", {"party": home.payer, "city": "Salem"}, key="before")
    assert (again.status_code, code(again)) == (410, "answer_erased")
    assert market.get(Party, market.payer_id).name == "erased"
    assert market.read(lambda s: s.scalar(text("select count(*) from party_changes where after <> ''"))) == 0
    market.now += timedelta(days=1)
