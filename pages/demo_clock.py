"""The demo's clock: what time it is here, a button that moves it on, and what falls due next. Only a demo has it."""

from __future__ import annotations

from core.rules.permissions import Permission
from dashboard import demo_time, navigation, request_context
from dashboard.ui import header

request_context.require(Permission.ADVANCE_DEMO_CLOCK)
if not request_context.demo_sign_in():
    navigation.end()
header.page(
    "Demo clock",
    "Move the demo's time forward. What falls due on the way happens in order, at its time; everyone stays signed in.",
)
found = demo_time.state()
demo_time.clock(found)
if found.moving:
    demo_time.under_way()
else:
    demo_time.trouble(found)
    demo_time.buttons()
demo_time.coming(found)
