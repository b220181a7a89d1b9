"""What the log says about one operation is found by its key."""

from __future__ import annotations

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.sandbox_desk import Market


@pytest.mark.lived
def test_lines_about_an_operation_have_its_key(market: Market) -> None:
    with capture_logs(processors=[merge_contextvars]) as said:
        market.funded()
    keys = {each.key for each in market.operations()}
    sending = [each for each in said if each["event"] == "operation.sending"]
    assert {each["operation"] for each in sending} == {each["key"] for each in sending}
    assert sending
    assert {each["operation"] for each in sending} <= keys
    assert all("operation" not in each for each in said if each["event"] == "webhook.received")
