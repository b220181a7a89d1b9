"""What a payer saved for charges while they are away is theirs to take back: old news bring nothing back."""

from __future__ import annotations

from pathlib import Path

from core import audit
from core.actions.parties import details
from core.db import Database
from core.records import Party
from tests.actions.stripe_events import intent_of, told_by_webhook
from tests.sandbox_desk import Market


def test_news_of_a_payment_that_come_again_save_no_method(
    market: Market, auditor: Database, tmp_path: Path
) -> None:
    told = market.funded()
    before = market.get(Party, market.payer_id).payment_method
    for method in ("pm_card_visa", before):
        market.act(details.change, market.payer, party_id=market.payer_id, wanted={"payment_method": method})
    assert market.get(Party, market.payer_id).method_saved_at is None
    told_by_webhook(market, "payment_intent.succeeded", intent_of(market, told))
    assert market.get(Party, market.payer_id).method_saved_at is None
    signer = audit.desk_signer(market.database, tmp_path, now=market.now)
    audit.seal(market.database, signer, tmp_path / "checkpoints", now=market.now)
    assert audit.verify(auditor, tmp_path / "checkpoints").ok
