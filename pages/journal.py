"""One journal: debits, credits, and what caused it."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import journals
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import journal_view
from dashboard.ui import errors, header

request_context.require(Permission.READ_LEDGER)
try:
    with request_context.reading() as session:
        journal = journals.journal(session, navigation.asked() or 0)
except DeskError as missing:
    header.page("Journal", back=("journals", "Journals"))
    errors.show(missing)
    navigation.end()

header.page(
    f"Journal J-{journal.id}",
    journal.memo,
    badges=[journal_view.seal(journal)],
    back=("journals", "Journals"),
)
journal_view.facts(journal)
header.section("Postings", "An account opens its activity.")
journal_view.postings(journal)
journal_view.ties(journal)
