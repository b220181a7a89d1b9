"""Personal data: whose the desk holds, what must not be erased, and who was."""

from __future__ import annotations

from core.queries import personal_data
from core.queries.personal_data import PersonFilter
from core.rules.permissions import Permission
from dashboard import readings, request_context
from dashboard.compliance import personal_data_panel, retention_panel, style
from dashboard.ui import filters, header, tables
from dashboard.ui.master_detail import side_by_side
from dashboard.ui.status import in_words

STATES = {"proposed": "Erasure proposed", "held": "Under legal hold", "erased": "Erased"}

request_context.require(Permission.READ_PERSONAL_DATA)
style.apply()
header.page("Personal data", "Whose data the desk holds, which of it must not be erased, and who was erased.")
retention_panel.show()
with filters.bar():
    state = filters.choice("State", STATES, key="state", everything="Everyone")
    words = filters.search("Name, e-mail or external id", key="words", width=260)
wanted = PersonFilter(
    words=words, held=state == "held", erased=state == "erased", proposed=state == "proposed"
)
readings.looked_for(words)
window = tables.window("page", depends=(state, words))
with request_context.reading() as session:
    total = personal_data.count(session, wanted)
    rows = personal_data.page(session, wanted, offset=window.offset, limit=window.size)

columns = [
    tables.text("external_id", "External id", width=130),
    tables.text("name", "Name", width=200),
    tables.text("role", "Role", value=lambda row: in_words(row.role), width=90),
    tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform), width=130),
    tables.when("created_at", "Known since", width=150),
    tables.when("held_since", "Legal hold since", width=150),
    tables.when("erased_at", "Erased", width=150),
]


def people(narrow: bool) -> int | None:
    chosen: int | None = tables.table(
        rows,
        columns[:3] if narrow else columns,
        key="personal-data",
        select=True,
        window=window,
        total=total,
        download=None,  # people are looked up here, one at a time
        name="Parties",
        empty_state=("Nobody is found", "Search for another name, address or external id."),
    )
    return chosen


side_by_side("personal-data", [row.id for row in rows], people, personal_data_panel.show)
if not retention_panel.drawers():
    personal_data_panel.drawers()
