"""The ten lines of docs/marketplace.md that sign a request sign it as the client does."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

from escrow_desk_client import sign

PAGE = Path(__file__).resolve().parents[2] / "docs" / "marketplace.md"


def test_the_example_signs_as_the_client_does() -> None:
    (block,) = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    names: dict[str, Any] = {"signing_secret": "eds_example", "api_key": "edk_example"}
    modules = {"hashlib": hashlib, "hmac": hmac, "json": json, "time": time}
    exec(block, modules, names)
    headers = names["headers"]
    assert headers["Authorization"] == "Bearer edk_example"
    assert headers["Desk-Signature"] == sign(
        "eds_example",
        method="POST",
        target=names["path"],
        body=names["body"],
        idempotency_key=headers["Idempotency-Key"],
        at=names["at"],
    )
