"""One entry of the audit log, at an address of its own."""

from __future__ import annotations

from core.errors import NotFound
from core.queries import audit
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.compliance import audit_labels, entry, entry_proof, style
from dashboard.ui import empty, header

request_context.require(Permission.READ_AUDIT)
style.apply()
number = navigation.asked()
try:
    with request_context.reading() as session:
        found = audit.entry(session, number or 0)
except NotFound:
    header.page("Audit entry", back=("audit", "Audit log"))
    empty.unknown("entry", number, "Look for it in the audit log by time, object or person.")
    navigation.end()
buttons = header.page(
    f"Entry {found.id} · {audit_labels.title(found.action)}",
    found.action,
    badges=[entry.seal(found)],
    back=("audit", "Audit log"),
)
with buttons:
    entry_proof.button()
entry_proof.drawer(found)
entry.show(found.id, alone=True)
