"""All that is held about one person, in words that name nobody else: what they may ask for.

Each part names its columns: what is added to a table later does not leave the desk by itself. Of others only their role
is said (the payer, the payee); what they wrote is here where it was addressed to this person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.queries.readings import ABOUT

_PROJECTS = "(select id from projects where :party in (payer_id, payee_id))"
_MILESTONES = f"(select id from milestones where project_id in {_PROJECTS})"
_SIDE = "case when {who} = :party then 'you' when {who} = p.payer_id then 'the payer' else 'the payee' end"

PARTS: Mapping[str, str] = {
    "you": """
        select external_id, platform as marketplace, role, name, email, city, country, language, method_kind,
               method_brand, method_last4, method_saved_at, withdrawal_method, auto_withdraw, stripe_customer,
               stripe_account, created_at, changed_at
        from parties where id = :party
    """,
    "what_changed": "select field, before, after, at from party_changes where party_id = :party order by id",
    "projects": f"""
        select id, bid_reference, title, scope, project_type, size, currency, total_minor, status, created_at,
               completed_at, case when payer_id = :party then 'payer' else 'payee' end as your_role
        from projects where id in {_PROJECTS} order by id
    """,
    "milestones": f"""
        select id, project_id, position, title, deliverable, amount_minor, currency, target_date, status, outcome,
               funded_at, completion_notice_at, verified_at, ended_at
        from milestones where project_id in {_PROJECTS} order by id
    """,
    "payments": f"""
        select milestone_id, currency, state, amount_minor, platform_fee_minor, processing_fee_minor, charge_minor,
               funded_minor, held_minor, released_minor, refunded_minor, funded_at
        from payment_orders where milestone_id in {_MILESTONES} order by milestone_id
    """,
    "withdrawals": """
        select id, milestone_id, currency, amount_minor, fee_minor, method, status, failure, requested_at, arrival_at,
               paid_at
        from payouts where party_id = :party order by id
    """,
    "refunds": f"""
        select f.id, f.milestone_id, f.currency, f.amount_minor, f.status, f.created_at, f.settled_at
        from refunds f where f.milestone_id in {_MILESTONES} order by f.id
    """,
    "bank_accounts": """
        select currency, before_last4, after_last4, at, held_until, ended_at, refused_at
        from bank_changes where party_id = :party order by id
    """,
    "messages": f"""
        select g.id, g.milestone_id, g.at, g.body,
               case when g.author_kind <> 'party' then 'the desk' else {_SIDE.format(who="g.author_id")} end as by
        from messages g join milestones m on m.id = g.milestone_id join projects p on p.id = m.project_id
        where g.audience = 'PARTIES' and m.id in {_MILESTONES} order by g.id
    """,
    "cases": f"""
        select c.id, c.milestone_id, c.reason, c.status, c.opened_at, c.resolved_at, c.resolution,
               {_SIDE.format(who="c.opened_by")} as opened_by,
               case when c.opened_by = :party then c.details end as complaint
        from cases c join milestones m on m.id = c.milestone_id join projects p on p.id = m.project_id
        where m.id in {_MILESTONES} order by c.id
    """,
    "requests_to_you": """
        select id, case_id, kind, question, asked_at, due_at, status from party_requests
        where party_id = :party order by id
    """,
    "evidence": """
        select id, milestone_id, case_id, kind, file_name, media_type, size_bytes, sha256, caption, taken_at, at
        from evidence where uploaded_by = :party order by id
    """,
    "settlement_proposals": f"""
        select o.id, o.case_id, o.currency, o.release_minor, o.refund_minor, o.status, o.made_at, o.ended_at,
               {_SIDE.format(who="o.proposed_by")} as by, o.note
        from settlement_proposals o join cases c on c.id = o.case_id join milestones m on m.id = c.milestone_id
        join projects p on p.id = m.project_id where m.id in {_MILESTONES} order by o.id
    """,
    "decisions": f"""
        select id, case_id, outcome, ground, currency, release_minor, refund_minor, status, made_at, executed_at
        from decisions where milestone_id in {_MILESTONES} and status = 'EXECUTED' order by id
    """,
    "reviews": f"""
        select r.project_id, r.stars, r.body, r.at, {_SIDE.format(who="r.author_id")} as by
        from project_reviews r join projects p on p.id = r.project_id
        join review_rounds u on u.project_id = p.id
        where p.id in {_PROJECTS} and (r.author_id = :party or u.revealed_at is not null) order by r.id
    """,
    "ratings": "select project_id, reviews, tenths, calculated_at from final_ratings where party_id = :party",
    "reports_of_yours": """
        select id, project_id, kind, details, at, outcome from reports
        where author_kind = 'party' and author_id = :party order by id
    """,
    "emails": """
        select id, template, subject, text, status, created_at, sent_at from notifications
        where party_id = :party order by id
    """,
    "email_preferences": "select frequency, muted, changed_at from letter_preferences where party_id = :party",
    "documents": """
        select number, kind, milestone_id, currency, total_minor, tax_minor, lines, at, payment_method,
               case when payer_id = :party then payer_name else payee_name end as your_name
        from receipts where :party in (payer_id, payee_id) order by id
    """,
    "holds_on_you": """
        select id, placed_at, expected_end, released_at from payee_holds where party_id = :party order by id
    """,
    "what_we_read": f"""
        with about as materialized ({ABOUT})
        select r.kind as what, r.object_id as number, r.roles as by_staff_with_role, r.first_at, r.last_at
        from about a join readings r on r.kind = a.kind and r.object_id = a.number
        order by r.first_at, r.kind, r.object_id
    """,
    "what_you_did": """
        select at, action, object_kind, object_id from audit_entries
        where actor_kind = 'party' and actor_id = :party order by id
    """,
}
# Names, addresses and numbers of whoever was on the other side, now and before.
OTHERS = text(
    f"""
    with others as (
        select distinct y.id, lower(y.role) as role from projects p
        join parties y on y.id in (p.payer_id, p.payee_id) and y.id <> :party where p.id in {_PROJECTS}
    )
    select o.role, word from others o join parties y on y.id = o.id
    cross join lateral unnest(array[y.name, y.email, y.external_id, y.stripe_customer, y.stripe_account]) as word
    where length(word) > 2
    union select o.role, word from others o join party_changes c on c.party_id = o.id and c.field in ('name', 'email')
    cross join lateral unnest(array[c.before, c.after]) as word where length(word) > 2
    """
)


def gathered(session: Session, party_id: int) -> dict[str, list[dict[str, Any]]]:
    """By part, its rows."""
    others = {row.word: row.role for row in session.execute(OTHERS, {"party": party_id})}
    found = {}
    for part, statement in PARTS.items():
        rows = session.execute(text(statement), {"party": party_id}).mappings()
        found[part] = [{name: _without(value, others) for name, value in row.items()} for row in rows]
    return found


def _without(value: Any, others: Mapping[str, str]) -> Any:
    """The same with “the payer” or “the payee” where it names them."""
    match value:
        case str() if others:
            longest = sorted(others, key=len, reverse=True)
            pattern = re.compile("|".join(map(re.escape, longest)), re.IGNORECASE)
            roles = {word.casefold(): role for word, role in others.items()}
            return pattern.sub(lambda met: f"the {roles[met[0].casefold()]}", value)
        case dict():
            return {name: _without(each, others) for name, each in value.items()}
        case list():
            return [_without(each, others) for each in value]
    return value
