"""The page of the customer's bank that asks them about a payment: it stands for 3-D Secure, and nothing is entered."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.gateways.stripe_sandbox import payment_intents, setup_intents
from core.gateways.stripe_sandbox.engine import Engine
from core.money import Money

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox bank</title>
<meta name="viewport" content="width=device-width"><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;
margin:3rem auto;padding:0 1rem;color:#1c2430;background:#fff}}button{{padding:.6rem 1.2rem;font:inherit}}</style>
</head><body><h1>Sandbox bank</h1>
<p>This page stands for the bank’s own. It asks about <code>{intent}</code>{amount}.</p>
<form method="post"><button name="answer" value="confirm">Confirm</button>
<button name="answer" value="refuse">Do not confirm</button></form></body></html>"""


def in_words(intent: dict[str, Any]) -> str:
    """The amount as a bank shows it, of any currency that the sandbox takes."""
    return Money(intent["amount"], intent["currency"].upper()).text()


def visit(engine: Engine, id_: str, form: dict[str, str] | None) -> Response:
    """The page (`form` is None), or the answer that was given on it, which leads back to the marketplace."""
    with engine.store.transaction():
        world = engine.world()
        found = engine.store.get(id_)
        intent = found[0] if found else {}
        if intent.get("status") != "requires_action":
            return HTMLResponse("<p>Nothing is asked here (any more).</p>", 404)
        if form is None:
            amount = f": {in_words(intent)}" if "amount" in intent else ""
            return HTMLResponse(PAGE.format(intent=escape(id_), amount=escape(amount)))
        back = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
        kind = setup_intents if intent["object"] == "setup_intent" else payment_intents
        kind.authenticate(world, id_, succeeds=form.get("answer") == "confirm")
        return RedirectResponse(back, 303) if back else HTMLResponse("<p>Done. You can close this page.</p>")
