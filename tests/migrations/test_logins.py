"""What the application's login can do by SQL is what `core/records/logins.py` says: every table and verb is tried.

And what somebody would try who had that login and nothing else, each attempt refused by the database itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.actions.staff import sessions
from core.audit.actions import AuditAction
from core.db import Database
from core.embedded_postgres import Urls
from core.records import logins
from core.rules.permissions import Actor
from tests.builders import Town, a_town, second_administrator
from tests.recorded import recorded

VERBS: Mapping[str, str] = {
    "SELECT": "select {columns} from {table} limit 0",
    "INSERT": "insert into {table} ({columns}) overriding system value select {columns} from {table} where false",
    "DELETE": "delete from {table} where false",
    "TRUNCATE": "truncate {table}",
}
TABLES = """
select c.relname, array_agg(quote_ident(a.attname)::text order by a.attnum) filter (where a.attgenerated = '')
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p') and c.relname !~ '^procrastinate_'
group by c.relname order by c.relname
"""
WITH_THE_RIGHTS_OF_THE_OWNER = """
select proname from pg_proc
where pronamespace = 'public'::regnamespace and prosecdef and has_function_privilege('app', oid, 'EXECUTE')
  and prorettype <> 'trigger'::regtype and proname !~ '^procrastinate_'
"""


@pytest.fixture
def app(urls: Urls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(urls.app_url.replace("+psycopg", "", 1)) as connection:
        yield connection


def tables(app: psycopg.Connection) -> dict[str, list[str]]:
    return dict(app.execute(TABLES).fetchall())  # type: ignore[arg-type]


def may(app: psycopg.Connection, statement: str) -> bool:
    """Whether it gets past the grants. A trigger that refuses it stands behind them; a view takes nothing."""
    try:
        with app.transaction(force_rollback=True):
            app.execute(statement)  # type: ignore[call-overload]
    except psycopg.errors.RestrictViolation:
        return True
    except psycopg.Error:
        return False
    return True


def listed() -> dict[str, set[str]]:
    """Each verb, and the tables or columns that the list gives it."""
    adds = {*logins.KEEPS.split(), *logins.CHANGES} - {*logins.ADDED_BY_TRIGGER}
    return {
        "SELECT": adds | {*logins.READS.split(), *logins.ADDED_BY_TRIGGER},
        "INSERT": adds,
        "DELETE": {*logins.DELETES.split()},
        "TRUNCATE": set(),
        "UPDATE": {
            f"{table}.{column}" for table, columns in logins.CHANGES.items() for column in columns.split()
        },
    }


@pytest.mark.parametrize("verb", VERBS)
def test_the_login_does_to_each_table_what_is_listed_and_nothing_else(
    app: psycopg.Connection, verb: str
) -> None:
    done = {
        table
        for table, columns in tables(app).items()
        if may(app, VERBS[verb].format(table=table, columns=", ".join(columns)))
    }
    assert done == listed()[verb]


def test_the_login_changes_the_columns_that_are_listed_and_no_others(app: psycopg.Connection) -> None:
    done = {
        table + "." + column.strip('"')
        for table, columns in tables(app).items()
        for column in columns
        if may(app, f"update {table} set {column} = {column} where false")
    }
    assert done == listed()["UPDATE"]


def test_a_grant_too_many_is_found(app: psycopg.Connection, owner: Database) -> None:
    with owner.transaction() as session:
        session.execute(text("grant update (subject) on staff to app"))
    assert may(app, "update staff set subject = subject where false")
    assert "staff.subject" not in listed()["UPDATE"]


def test_it_calls_these_functions_of_the_owner(owner: Database) -> None:
    with owner.reading() as session:
        assert set(session.scalars(text(WITH_THE_RIGHTS_OF_THE_OWNER))) == set(logins.CALLS)


DOORS = (
    "select token_hash from staff_sessions",
    "select key from tab_keys",
    "select args from procrastinate_jobs",
)


@pytest.mark.parametrize("question", DOORS)
def test_the_auditor_reads_nothing_that_opens_a_door(urls: Urls, question: str) -> None:
    with (
        psycopg.connect(urls.auditor_url.replace("+psycopg", "", 1)) as auditor,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        auditor.execute(question)  # type: ignore[call-overload]


# What somebody would try


BY_GRANT_OR_LAW = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.CheckViolation,
    psycopg.errors.RestrictViolation,
)
PROOF = sessions.proof_of("ada's")
REFUSED = {
    "the identity of an administrator is made one's own": "update staff set issuer = 'mine', subject = 'me'",
    "a colleague's address is changed": "update staff set email = 'me@example.org'",
    "a role is given": "insert into staff_roles select id, 'administrator' from staff",
    "a session goes on for a year": "update staff_sessions set expires_at = now() + interval '1 year'",
    "a session is handed to another person": "update staff_sessions set staff_id = staff_id",
    "a session begins and no entry says so": """
        insert into staff_sessions (token_hash, proof_hash, staff_id, created_at, last_seen_at, authenticated_at,
            expires_at)
        select sha256('mine'), sha256('mine'), min(id), now(), now(), now(), now() + interval '8 hours' from staff""",
    "a session of nine hours begins": """
        insert into staff_sessions (token_hash, proof_hash, staff_id, created_at, last_seen_at, authenticated_at,
            expires_at)
        select sha256('mine'), sha256('mine'), min(id), now(), now(), now(), now() + interval '9 hours' from staff""",
    "a session that ended comes back": "update staff_sessions set revoked_at = null where revoked_at is not null",
    "somebody proved again who they are, says no entry": """
        update staff_sessions set authenticated_at = authenticated_at + interval '1 minute'""",
    "sessions are carried on where this is no demo": "select carry_sessions('1 day', now(), '15 minutes')",
    "somebody works here again, says no entry": "update staff set active = true where not active",
    "a colleague knows another kind of work, says no entry": """update staff set skills = '["ROOFING"]' """,
    "a key of the interface appears": """
        insert into api_keys (platform, label, prefix, secret_hash, may_write, created_at)
        values ('home_services', 'mine', 'mine', sha256('mine'), true, now())""",
    "a key that was revoked opens again": "update api_keys set revoked_at = null where revoked_at is not null",
    "a key is another marketplace's": "update api_keys set platform = 'legal_services'",
    "an endpoint for events appears": """
        insert into webhook_endpoints (platform, url, nonce, created_at)
        values ('home_services', 'https://mine.example', 'mine', now())""",
    "a tie is explained away": "delete from staff_ties",
    "a tie is no longer to this party": "update staff_ties set party_id = party_id",
    "a policy that nobody published is in force": """
        insert into policy_versions (profile, version, snapshot, effective_at)
        select profile, version + 1, snapshot, now() from policy_versions""",
    "a project is paid to another": "update projects set payee_id = payer_id",
    "a withdrawal goes to another": "update payouts set party_id = party_id",
    "a refund is of another milestone": "update refunds set milestone_id = milestone_id",
    "a call to Stripe asks for more": "update outgoing_operations set amount_minor = amount_minor + 1",
    "an entry is taken out of the log": "delete from audit_entries",
    "an entry is written past its function": """
        insert into audit_entries (at, actor_kind, action, object_kind, object_id, recorded_at)
        values (now(), 'system', 'a:b:c', 'x', '1', now())""",
    "an entry is written in a colleague's name": """
        select record_audit(now(), 'staff', (select min(id) from staff), 'administrator', 'staff:role:take', 'staff',
            '1')""",
    "an entry is written with what the database holds of a session": """
        select record_audit(now(), 'staff', staff_id, 'administrator', 'staff:role:take', 'staff', '1',
            p_proof => encode(proof_hash, 'hex')) from staff_sessions""",
    "an entry is written in a colleague's name with a session of one's own": f"""
        select record_audit(now(), 'staff', (select max(id) from staff), 'administrator', 'staff:role:take', 'staff',
            '1', p_proof => '{PROOF}')""",
    "a journal is written past its function": """
        insert into journals (key, kind, memo, cause, account_ids, amounts, posted_at)
        values ('mine', 'mine', '', '{}', '{1,2}', '{1,-1}', now())""",
    "a balance is another": "update balances set balance = 0",
    "the triggers are off": "alter table staff_sessions disable trigger all",
    "the login is the ledger's own": "set role bookkeeper",
}


@pytest.fixture
def town(database: Database) -> Town:
    return a_town(database)


@pytest.fixture
def attacked(town: Town, owner: Database) -> Town:
    """A real desk (no demo) where something is there to be attacked: an ended session, a revoked key, one who left."""
    second_administrator(town)
    for ended in (False, True):
        token = town.database.run(
            lambda session: sessions.sign_in(session, staff_id=town.staff["ada"], now=town.now)
        )
        if ended:
            town.database.run(lambda session, token=token: sessions.sign_out(session, token, now=town.now))
    with owner.transaction() as session:
        session.execute(
            text("update staff_sessions set proof_hash = sha256(:proof)"), {"proof": PROOF.encode()}
        )
        session.execute(text("update installation set demo = false"))
        session.execute(text("delete from staff_roles where staff_id = :id"), {"id": town.staff["max"]})
        session.execute(text("update staff set active = false where id = :id"), {"id": town.staff["max"]})
        session.execute(
            text(
                "insert into api_keys (platform, label, prefix, secret_hash, may_write, created_at, revoked_at)"
                " values ('home_services', 'Theirs', 'theirs', sha256('theirs'), true, now(), now())"
            )
        )
    return town


def why_refused(database: Database, attempt: str) -> str | None:
    """What the database says to it; None where it lets it be committed."""
    try:
        with database.transaction() as session:
            session.execute(text(attempt))
    except DBAPIError as refused:
        if not isinstance(refused.orig, BY_GRANT_OR_LAW):
            raise
        return str(refused.orig)
    return None


def test_with_the_applications_login_alone(attacked: Town) -> None:
    said = {name: why_refused(attacked.database, attempt) for name, attempt in REFUSED.items()}
    assert [name for name, why in said.items() if why is None] == []
    assert [name for name, why in said.items() if why and "violates check" in why] == [
        "a session of nine hours begins"
    ]


def test_an_entry_is_written_with_a_session_of_ones_own_or_at_a_terminal_that_is_named(
    attacked: Town,
) -> None:
    token = attacked.database.run(
        lambda session: sessions.sign_in(session, staff_id=attacked.staff["ada"], now=attacked.now)
    )
    mine = attacked.read(lambda session: sessions.resolve(session, token, now=attacked.now))
    assert mine is not None
    assert mine.proof not in repr(mine)
    assert mine.proof not in repr(mine.actor)
    at_the_terminal = replace(mine.actor, proof="", via="root on desk-1")
    for actor in (mine.actor, at_the_terminal):
        attacked.database.run(lambda session, actor=actor: left(session, actor, attacked))
    with pytest.raises(DBAPIError, match="takes a session of theirs"):
        attacked.database.run(lambda session: left(session, replace(mine.actor, proof=""), attacked))


def left(session: Session, actor: Actor, town: Town) -> int:
    return recorded(
        session,
        actor,
        AuditAction.TIE_DECLARE.by("staff"),
        object_kind="staff",
        object_id=actor.id or 0,
        now=town.now,
    )
