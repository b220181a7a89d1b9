"""A desk made again from a backup: files first, then the database in one transaction, which also pauses its requests.

Until that transaction is committed there is no desk; a restore that was killed is given the same command again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit
from core.audit import checkpoints, sealing
from core.audit.actions import AuditAction
from core.audit.checkpoint_lines import lines_from
from core.audit.pinned_keys import ledger_name
from core.audit.seal_reading import seals_after
from core.audit.seals import Seal
from core.backup import key_archive, manifest, postgres_tools
from core.backup.manifest import Manifest
from core.backup.postgres_tools import Address, Tools
from core.config import Settings
from core.db import Database, driver_url
from core.embedded_postgres.programs import last_complaint
from core.errors import DeskError
from core.gateways.evidence_keys import Keyring
from core.gateways.files import private_folder, replace
from core.home import OF_A_DESK
from core.queries import restores as queries
from core.records import Restore
from core.rules.permissions import Actor, Permission, require

MARK = "restoring.json"
NUMBERS_LOST = 100_000
"""So many numbers of each kind may have been given since the backup; none of them is given to something else."""
RECORD = ("audit_entries", "journals", "postings", "row_changes")
MARKED = """
insert into public.restores (source, taken_at, restored_at, restored_by)
values ({source}, {taken_at}, {restored_at}, {restored_by});
do $$ begin
    perform setval(format('%I.%I', n.nspname, s.relname)::regclass, p.last_value + {numbers})
    from pg_class s join pg_namespace n on n.oid = s.relnamespace
    join pg_sequences p on p.schemaname = n.nspname and p.sequencename = s.relname
    join pg_depend d on d.objid = s.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    join pg_class t on t.oid = d.refobjid
    where s.relkind = 'S' and n.nspname = 'public' and p.last_value is not null
      and t.relname not in ({record}) and t.relname !~ '^procrastinate_';
end $$;
"""
# Whoever is given functions must be able to make some there; a superuser is not asked.
BEGIN = "begin;\ngrant create on schema public to bookkeeper;\n"
COMMIT = "revoke create on schema public from bookkeeper;\ncommit;\n"
TABLES = """
select count(*) from pg_class where relkind in ('r', 'p', 'v', 'S') and relnamespace = 'public'::regnamespace
"""
GROUPS = ("app", "auditor", "bookkeeper")
ROLES = text(
    "select rolname, pg_has_role(current_user, oid, 'member') as member from pg_roles where rolname = any(:names)"
)


class BackupDamaged(DeskError):
    """{folder} is not as it was made: {wrong}. Nothing was restored."""


class SomethingThere(DeskError):
    """A backup is restored into an empty database and an empty home only, and {what}. Nothing was done."""


class KeysOfAnother(DeskError):
    """{file} has the keys of another desk (ledger {found}, and not {wanted}). Nothing was restored."""


class RolesMissing(DeskError):
    """Roles are missing that this login cannot make or grant. As a superuser: {commands} Nothing was restored."""


class NotRestored(DeskError):
    """The database was not restored: {reason}. It is as empty as before; repeat the command once that is settled."""


class CheckpointsOfAnother(DeskError):
    """{file} does not hold the checkpoints of this database as far as it goes: seal {n} differs. Nothing changed."""


@dataclass(frozen=True)
class Restored:
    """What was restored; `erased`: parties that the home knows as erased and this database does not."""

    source: str
    taken_at: datetime
    last_seal: int
    evidence: int
    keys: bool
    erased: list[int]
    pending: list[str]


def restore(
    settings: Settings,
    actor: Actor,
    folder: Path,
    *,
    now: datetime,
    keys: Path | None = None,
    passphrase: str = "",
) -> Restored:
    """Raises `NoBackup`, `BackupDamaged`, `SomethingThere`, `KeysOfAnother`, `RolesMissing`, `NotRestored`, and what
    opening the keys raises."""
    require(actor, Permission.BACK_UP)
    made, home = Manifest.read(folder), settings.home
    if wrong := next(manifest.wrong(folder), None):
        raise BackupDamaged(folder=folder, wrong=wrong)
    mark = {"backup": folder.name, "manifest": manifest.sha256(folder / manifest.MANIFEST)}
    begun = _begun(home, mark)
    opened = _keys(keys, passphrase, made) if keys else {}
    owner = Database(settings.owner_url, pool_size=1)
    try:
        there = _restored_already(owner, folder.name) if begun else False
        if not there:
            _require_empty(owner, home, begun=begun)
            tools = _tools(owner, made)
            _roles(owner, made["owner"])
            _logins(settings)
            private_folder(home)
            replace(home / MARK, json.dumps(mark).encode())
            _files(folder, home)
            key_archive.put(home, opened)
            _database(settings.owner_url, tools, folder, made, actor, now=max(now, made.taken_at))
        return _finish(settings, owner, actor, folder.name, now=now, keys=keys is not None)
    finally:
        owner.dispose()


def mark_restored(
    settings: Settings, actor: Actor, *, now: datetime, taken_at: datetime, newer: Path | None = None
) -> Restored:
    """The same for a database that was brought back by other means, such as to a point in time: requests are paused,
    and the home gets those of its checkpoints, or of the file `newer`, that the database knows. Raises
    `CheckpointsOfAnother`."""
    require(actor, Permission.BACK_UP)
    owner, source = Database(settings.owner_url, pool_size=1), f"point in time {taken_at:%Y%m%dT%H%M%SZ}"
    try:
        _adopt(owner, settings.home / "checkpoints", newer)
        with owner.transaction() as session:
            raw = session.connection().connection.cursor()  # through SQLAlchemy a % would be a parameter
            raw.execute(_marked(source, taken_at, max(now, taken_at), actor))
        return _finish(settings, owner, actor, source, now=now, keys=False)
    finally:
        owner.dispose()


def _begun(home: Path, mark: dict[str, str]) -> bool:
    try:
        found = json.loads((home / MARK).read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        found = {}
    if found != mark:
        what = f"{home} is being restored from {found.get('backup', 'another backup')}"
        raise SomethingThere(what=f"{what}: finish that, or remove the folder")
    return True


def _keys(file: Path, passphrase: str, made: Manifest) -> dict[str, bytes]:
    ledger, files = key_archive.opened(file, passphrase)
    if ledger != made["ledger"]:
        raise KeysOfAnother(file=file, found=ledger, wanted=made["ledger"])
    return files


def _restored_already(owner: Database, source: str) -> bool:
    with owner.reading() as session:
        if session.scalar(text("select to_regclass('public.restores')")) is None:
            return False
        return session.scalar(select(Restore.id).where(Restore.source == source).limit(1)) is not None


def _require_empty(owner: Database, home: Path, *, begun: bool) -> None:
    with owner.reading() as session:
        tables = session.scalar(text(TABLES))
    if tables:
        raise SomethingThere(
            what=f"the database {owner.url.database} has {tables} tables, views and sequences"
        )
    held = [name for name in OF_A_DESK if any((home / name).rglob("*"))]
    if held and not begun:
        raise SomethingThere(what=f"{home} has {', '.join(held)}")


def _tools(owner: Database, made: Manifest) -> Tools:
    """No older than the server, nor than the one that the backup is of."""
    with owner.reading() as session:
        here = int(session.scalar(text("show server_version_num")) or 0)
    return postgres_tools.tools(max(here, made["postgres"]))


def _roles(owner: Database, wanted: str) -> None:
    """`app`, `auditor` and `bookkeeper` are made where they are missing and this login may; the tables' owner is not,
    because a login has a password."""
    with owner.transaction() as session:
        found = {row.rolname: row.member for row in session.execute(ROLES, {"names": [*GROUPS, wanted]})}
        mine = "select rolname, quote_ident(rolname) as login, rolsuper or rolcreaterole as may from pg_roles"
        me = session.execute(text(f"{mine} where rolname = current_user")).one()
        login, may = me.login, me.may
        missing = [name for name in GROUPS if name not in found]
        needed = [f"CREATE ROLE {name} NOLOGIN;" for name in missing]
        if may:
            if "bookkeeper" in missing:  # since PostgreSQL 16 whoever makes a role is not its member
                needed.append(f"GRANT bookkeeper TO {login};")
            for command in needed:
                session.execute(text(command))
            needed = []
        if wanted not in found:
            needed.append(f"CREATE ROLE {wanted} LOGIN PASSWORD '…';")
        others = [name for name in (wanted, "bookkeeper") if name != me.rolname and not found.get(name, may)]
        needed += [f"GRANT {name} TO {login};" for name in others]
        if needed:
            raise RolesMissing(commands=" ".join(needed))


def _logins(settings: Settings) -> None:
    """Those of the desk are members of their groups, or it could not be finished."""
    needed = []
    for url, group in ((settings.database_url, "app"), (settings.auditor_url, "auditor")):
        database = Database(url, pool_size=1)
        try:
            with database.reading() as session:
                asks = "select quote_ident(current_user) as login, pg_has_role(current_user, :name, 'member') as member"
                me = session.execute(text(asks), {"name": group}).one()
        finally:
            database.dispose()
        if not me.member:
            needed.append(f"GRANT {group} TO {me.login};")
    if needed:
        raise RolesMissing(commands=" ".join(needed))


def _files(folder: Path, home: Path) -> None:
    for path in sorted((folder / manifest.CHECKPOINTS).glob("*")):
        replace(home / "checkpoints" / path.name, path.read_bytes())
    for name, one in manifest.evidence_of(folder).items():
        replace(home / "evidence" / name, manifest.shared(folder.parent, one["sha256"]).read_bytes())


def _database(url: str, tools: Tools, folder: Path, made: Manifest, actor: Actor, *, now: datetime) -> None:
    """One transaction, committed by its last line: where this process is killed, psql reads no such line."""
    address = Address.of(url)
    with tempfile.TemporaryFile() as said:
        reading = subprocess.Popen(
            [tools.bin / "pg_restore", "--file=-", (folder / manifest.DATABASE).resolve()],
            stdout=subprocess.PIPE, stderr=said, stdin=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        writing = subprocess.Popen(
            [tools.bin / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--no-password",
             "--dbname", address.dsn],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, cwd="/", env=address.environment,
        )  # fmt: skip
        assert reading.stdout is not None
        assert writing.stdin is not None
        whole = False
        try:
            writing.stdin.write(BEGIN.encode())
            shutil.copyfileobj(reading.stdout, writing.stdin)
            if reading.wait() == 0:
                end = _marked(folder.name, made.taken_at, now, actor) + COMMIT
                writing.stdin.write(end.encode())
                whole = True
            else:
                writing.kill()
            writing.stdin.close()
        except BrokenPipeError:
            whole = False
        finally:
            if not whole:
                writing.kill()
            reading.kill()
            reading.stdout.close()
            ended = writing.wait()
            reading.wait()
        said.seek(0)
        if ended != 0 or not whole:
            raise NotRestored(
                reason=last_complaint(said.read().decode(errors="replace")).rstrip(".") or "psql was stopped"
            )


def _marked(source: str, taken_at: datetime, now: datetime, actor: Actor) -> str:
    return MARKED.format(
        source=_quoted(source),
        taken_at=_quoted(taken_at.isoformat()),
        restored_at=_quoted(now.isoformat()),
        restored_by=_quoted(actor.label),
        numbers=NUMBERS_LOST,
        record=", ".join(map(_quoted, RECORD)),
    )


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''").replace("\\", "/") + "'"


def _adopt(owner: Database, folder: Path, newer: Path | None) -> None:
    """What is beyond the database's last seal proves what was lost: that file is kept, under another name."""
    with owner.reading() as session:
        ledger, last = ledger_name(session), _last_seal(session)
        target = checkpoints.file_of(folder, ledger)
        file = newer or target
        fitting = [line for number, line in lines_from(file, 1) if number <= last]
        if fitting:
            stated = Seal.of(json.loads(fitting[-1]))
            if [stated] != list(seals_after(session, stated.n - 1, limit=1)):
                raise CheckpointsOfAnother(file=file, n=stated.n)
    if target.exists():
        if target.read_bytes() == b"".join(fitting):
            return
        target.rename(target.with_name(f"{target.name}.{manifest.sha256(target)[:8]}.kept"))
    replace(target, b"".join(fitting))


def _last_seal(session: Session) -> int:
    return int(session.scalar(text("select coalesce(max(n), 0) from seals")) or 0)


def _latest(session: Session, source: str) -> Restore:
    wanted = select(Restore).where(Restore.source == source).order_by(Restore.id.desc()).limit(1)
    return session.scalars(wanted).one()


def _finish(
    settings: Settings, owner: Database, actor: Actor, source: str, *, now: datetime, keys: bool
) -> Restored:
    """What needs a database that is there: its epoch is closed, and the log says where it came from."""
    from core.migrate import pending

    app = Database(settings.database_url, pool_size=2)
    try:
        sealing.close(app)
        app.run(lambda session: _tell(session, actor, source, now=now))
        (settings.home / MARK).unlink(missing_ok=True)
        with app.reading() as session:
            row = _latest(session, source)
            erased = queries.erased_since(session, Keyring(settings.home / "keys").stones())
            last = _last_seal(session)
    finally:
        app.dispose()
    evidence = sum(1 for path in (settings.home / "evidence").rglob("*") if path.is_file())
    missing = pending(str(driver_url(settings.owner_url).render_as_string(hide_password=False)))
    return Restored(source, row.taken_at, last, evidence, keys, erased, missing)


def _tell(session: Session, actor: Actor, source: str, *, now: datetime) -> None:
    """Once, however often the command was given."""
    row = _latest(session, source)
    told = text(
        "select 1 from audit_entries where object_kind = 'restore' and object_id = :id and action like :step"
    )
    if session.scalar(told, {"id": str(row.id), "step": "%:restore:finish"}):
        return
    audit.record(
        session,
        actor,
        AuditAction.RESTORE_FINISH.by(actor.kind),
        object_kind="restore",
        object_id=row.id,
        now=now,
        after={"source": source, "taken_at": row.taken_at},
    )
