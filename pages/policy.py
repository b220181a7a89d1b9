"""The numbers in force: both profiles side by side, where each number comes from, and who changed it when."""

from __future__ import annotations

import streamlit as st

from core.money import CURRENCIES
from core.policy import Level, Platform
from core.queries import policy
from core.queries.policy import Version
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.compliance import legal_checklist, policy_table, proposals, style
from dashboard.ui import cards, empty, filters, header, tables
from dashboard.ui.safe import html
from dashboard.ui.status import in_words

request_context.require(Permission.READ_POLICY)
now = request_context.now()
style.apply()
buttons = header.page(
    "Policy",
    "A project keeps the version that it began with, so a change never touches money in flight. Retention, issuer, tax "
    "and changes of a bank go by the version in force, for everybody.",
)
with request_context.reading() as session:
    every = policy.versions(session)
force = policy.in_force(every, now=now)
if not force:
    empty.state(
        "No policy is published", "The first versions are published when the desk is installed.", icon="gavel"
    )
    navigation.end()


def pick(platform: Platform) -> Version:
    """The version in force, or another one of the marketplace's, by the address."""
    own = {str(each.version): each for each in every if each.platform is platform}
    if len(own) < 2:
        return force[platform]
    labels = {number: f"{in_words(platform.value)}, version {number}" for number in own}
    return own.get(
        filters.one_of(in_words(platform.value), labels, key=platform.value, width=230) or "", force[platform]
    )


with filters.bar():
    names = {name: f"Amounts in {name}" for name in CURRENCIES}
    currency = filters.one_of("Amounts in USD", names, key="currency", width=160) or "USD"
    shown = {platform: pick(platform) for platform in force}

with cards.panel("rules"):
    st.html(policy_table.table(policy.rules(every, shown), shown, currency))

header.section(
    "Fixed amounts in every currency", "Of the versions shown above. A percentage is the same in all of them."
)
policy_table.show_fixed_amounts(shown)

header.section("Policy checks", "an error would keep a version from being published")
with cards.panel("findings"):
    tones = {Level.ERROR: "bad", Level.WARNING: "wait"}
    notes = [
        f'<li><span class="ed-pill ed-{tones[finding.level]}">{html(in_words(finding.level))}</span>'
        f"<span>{html(in_words(platform.value))}: {html(finding.sentence)}</span></li>"
        for platform, version in shown.items()
        for finding in version.findings
    ]
    st.html(f'<ul class="ed-notes">{"".join(notes)}</ul>' if notes else "Nothing to report.")

newest = {each.platform: each for each in sorted(every, key=lambda each: each.version)}
proposals.panel(newest, every, currency)
with buttons:
    proposals.button()
legal_checklist.panel()
header.section("Versions", "every one that was ever published")
tables.table(
    every,
    [
        tables.text("platform", "Profile", value=lambda row: in_words(row.platform.value), width=150),
        tables.count("version", "Version", width=80),
        tables.when("effective_at", "In force from", width=170),
        tables.flag("now", "In force", value=lambda row: force.get(row.platform) is row, width=84),
        tables.text(
            "proposed_by", "Proposed by", value=lambda row: row.proposed_by or "The system", width=150
        ),
        tables.text("approved_by", "Approved by", value=lambda row: row.approved_by or "—", width=150),
        tables.count("active", "Active projects", width=120),
        tables.count("projects", "All projects", width=110),
        tables.text(
            "changes",
            "What changed",
            value=lambda row: policy_table.changes(row, currency),
        ),
    ],
    key="versions",
    download=tables.Table("policy-versions", lambda session: every, permission=Permission.EXPORT_AUDIT),
    name="Versions of the policy",
)
