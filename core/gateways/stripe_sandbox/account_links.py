"""Account links, and the page behind them that stands for Stripe's hosted onboarding: one visit, a few minutes."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.gateways.stripe_sandbox import accounts
from core.gateways.stripe_sandbox.cards import BANKS
from core.gateways.stripe_sandbox.engine import Engine
from core.gateways.stripe_sandbox.onboarding import AT_ONCE_BORN, VERIFIED_BORN
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World

BORN = {
    "at_once": AT_ONCE_BORN,
    "later": VERIFIED_BORN,
    "not_verified": (1980, 5, 17),
}
CHOICES = {
    "at_once": "Verified at once",
    "later": "Verified a little later",
    "not_verified": "Not verified: a document is wanted",
}
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox onboarding</title>
<meta name="viewport" content="width=device-width"><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;
margin:3rem auto;padding:0 1rem;color:#1c2430;background:#fff}}label{{display:block;margin:1rem 0}}
select{{display:block;width:100%;padding:.5rem;font:inherit}}button{{padding:.6rem 1.2rem;font:inherit}}</style></head>
<body><h1>Sandbox onboarding</h1><p>This page stands for Stripe’s hosted onboarding of account <code>{account}</code>.
No data of a person is entered here: choose how the verification ends.</p><form method="post">
<label>Verification <select name="outcome">{outcomes}</select></label>
<label>Bank account <select name="bank">{banks}</select></label>
<button>Submit</button> <a href="{back}">Leave without submitting</a></form></body></html>"""


def visit(engine: Engine, token: str, form: dict[str, str] | None) -> Response:
    """The page (`form` is None), or what was submitted on it. A link that is used up leads to its refresh address."""
    with engine.store.transaction():
        world = engine.world()
        found = engine.store.get(token)
        if found is None or found[0]["object"] != "account_link":
            return HTMLResponse("<p>There is no such link.</p>", 404)
        link = found[0]
        state = "new" if form is None else "shown"
        if link["_state"] != state or link["expires_at"] <= world.now:
            return RedirectResponse(link["_refresh_url"], 303)
        if form is None:
            world.change(link, _state="shown")
            return HTMLResponse(_page(link, accounts.banks(world.on(link["_account"]))))
        if form.get("outcome") not in BORN or form.get("bank") not in ("", None, *BANKS):
            return HTMLResponse("<p>The page offers no such verification or bank account.</p>", 400)
        world.change(link, _state="used")
        complete(world, link["_account"], form["outcome"], form.get("bank") or None)
        return RedirectResponse(link["_return_url"], 303)


def complete(world: World, account: str, outcome: str, bank: str | None) -> Object:
    """What a payee does on the page: everything is given, with the test values that end so."""
    year, month, day = BORN[outcome]
    params: dict[str, Any] = {
        "business_type": "individual",
        "individual": {
            "first_name": "Jenny",
            "last_name": "Rosen",
            "dob": {"year": year, "month": month, "day": day},
            "address": {
                "line1": "address_full_match",
                "city": "Springfield",
                "state": "IL",
                "postal_code": "62701",
            },
            "id_number": "000000000",
        },
        "tos_acceptance": {"date": world.now, "ip": "127.0.0.1"},
    }
    if bank:
        params["external_account"] = bank
    return accounts.update(world, params, account)


def _page(link: Object, known: list[Object]) -> str:
    """A payee who has a bank may leave it as it is."""
    outcomes = "".join(f'<option value="{name}">{words}</option>' for name, words in CHOICES.items())
    banks = "".join(f"<option>{name}</option>" for name in BANKS)
    return PAGE.format(
        account=escape(link["_account"]),
        outcomes=outcomes,
        banks=f'<option value="">As it is</option>{banks}' if known else banks,
        back=escape(link["_return_url"], quote=True),
    )
