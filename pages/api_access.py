"""API access: the marketplaces' keys and webhook endpoints, what was told, and the ways to change them."""

from __future__ import annotations

from core.api.http import api_keys
from core.api.webhooks import endpoints
from core.rules.permissions import Permission
from dashboard import api_access, request_context
from dashboard.ui import confirm, header

request_context.require(Permission.MANAGE_PLATFORM_KEYS)
now = request_context.now()
with request_context.reading() as session:
    known = api_keys.listed(session, now=now)
    told = endpoints.standings(session)
header.page(
    "API access", "Keys with which the marketplaces come in, and the addresses that hear what happens."
)
api_access.shown_once()
may_change = confirm.step_up("api-access")
api_access.keys_of(known, may_change=may_change)
if chosen := api_access.endpoints_of(told, may_change=may_change):
    api_access.deliveries_of(chosen, may_change=may_change)
