"""Keys of the platforms: made, recognised and revoked.

A key has two secrets. The first travels with every request and is stored as its SHA-256. The second signs and never
travels: it is derived from the desk's API master key, which lies outside the database (`API_MASTER_KEY`, else a file
under ESCROW_DESK_HOME), so that a copy of the database can neither come in nor sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core import audit
from core.api.http.rate_limits import Limits, taking
from core.audit.actions import AuditAction
from core.config import Settings
from core.errors import DeskError, NotFound
from core.gateways.files import create_once
from core.policy import Platform
from core.records import ApiKey
from core.rules.permissions import Actor, Permission, require
from core.rules.webhooks import KeyJustRotated

SHORTEST = 32
OVERLAP = timedelta(hours=24)  # so long the key or the secret that was replaced works as well


class ApiMasterKeyUnfit(DeskError):
    """API_MASTER_KEY must have at least {shortest} characters that nobody can guess."""


class ApiMasterKeyExposed(DeskError):
    """Other users of this computer can read {path}. Run chmod 600 on it, and replace it if they may have."""


class PlatformUnknown(DeskError):
    """There is no platform “{platform}”; there are {known}."""


class KeyUnknown(DeskError):
    """This API key is not known here, or it was revoked or replaced."""


class KeyMissing(DeskError):
    """No API key was given. Send one in the header Authorization of every request, as “Bearer edk_…”."""


# A key by its first part; a token of its share is taken if its secret is the one that was given and it is open now.
RECOGNISED = text(
    f"""
    with known as (
        select id, prefix, platform, may_write, secret_hash, secret_hash = :hash and revoked_at is null
               and (expires_at is null or cast(:at as timestamptz) < expires_at) as opens
        from api_keys where prefix = :prefix
    ), taken as ({taking("'key:' || k.id", "from known k where k.opens")})
    select k.id, k.prefix, k.platform, k.may_write, k.secret_hash, t.granted, t.filled
    from known k left join taken t on true
    """
)


@dataclass(frozen=True)
class Caller:
    """Who came in: a key, and the platform whose people and projects it may speak for."""

    key_id: int
    prefix: str
    platform: str
    may_write: bool


@dataclass(frozen=True)
class Issued:
    """A new key, whole. It is shown once."""

    id: int
    api_key: str
    signing_secret: str


class KeyState(StrEnum):
    OPEN = "OPEN"
    REPLACED = "REPLACED"  # works until its time
    ENDED = "ENDED"
    REVOKED = "REVOKED"


@dataclass(frozen=True)
class Listed:
    """A key as it is shown: its first part, how it stands, and until when it works or when it stopped."""

    id: int
    platform: str
    label: str
    prefix: str
    may_write: bool
    created_at: datetime
    state: KeyState
    until: datetime | None


def listed(session: Session, *, now: datetime) -> list[Listed]:
    """Every key that was ever made, the newest first."""
    return [
        Listed(
            key.id,
            key.platform,
            key.label,
            f"edk_{key.prefix}",
            key.may_write,
            key.created_at,
            _state(key, now),
            key.revoked_at or key.expires_at,
        )
        for key in session.scalars(select(ApiKey).order_by(ApiKey.id.desc()))
    ]


def _state(key: ApiKey, now: datetime) -> KeyState:
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if key.expires_at is None:
        return KeyState.OPEN
    return KeyState.REPLACED if now < key.expires_at else KeyState.ENDED


def create(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    platform: str,
    label: str,
    master: bytes,
    may_write: bool = True,
) -> Issued:
    """A key for a platform of this desk. Raises `PlatformUnknown`, `NotPermitted`."""
    require(actor, Permission.MANAGE_PLATFORM_KEYS, now)
    known_platform(platform)
    key, secret = _drawn(Platform(platform), label, may_write, now)
    session.add(key)
    session.flush()
    _note(
        session,
        actor,
        AuditAction.API_KEY_CREATE,
        key,
        now,
        after={"platform": platform, "may_write": may_write},
    )
    return _issued(key, secret, master)


def rotate(
    session: Session, actor: Actor, *, now: datetime, prefix: str, master: bytes, by_key: str = ""
) -> Issued:
    """Another key in place of this one, which opens for `OVERLAP` longer. `by_key`: its platform asked, with this key.

    One that was replaced already is not replaced again: whoever stole it would make keys of their own, and it would
    never end. Raises `NotFound`, `KeyJustRotated`, `NotPermitted`, `StepUpRequired`.
    """
    if not by_key:
        require(actor, Permission.MANAGE_PLATFORM_KEYS, now)
    key = _known(session, prefix)
    if key is None or not _opens(key, now):
        raise NotFound(kind="API key", id=prefix)
    session.refresh(key, with_for_update=True)
    if key.expires_at is not None:
        raise KeyJustRotated(until=key.expires_at)
    fresh, secret = _drawn(key.platform, key.label, key.may_write, now)
    session.add(fresh)
    session.execute(update(ApiKey).where(ApiKey.id == key.id).values(expires_at=now + OVERLAP))
    session.flush()
    after = {"replaced_by": fresh.id, "opens_until": (now + OVERLAP).isoformat()}
    _note(
        session,
        actor,
        AuditAction.API_KEY_ROTATE,
        key,
        now,
        after=after | ({"api_key": by_key} if by_key else {}),
    )
    return _issued(fresh, secret, master)


def revoke(session: Session, actor: Actor, *, now: datetime, prefix: str) -> None:
    """From now on the key opens nothing. Doing it twice does no harm."""
    require(actor, Permission.MANAGE_PLATFORM_KEYS, now)
    key = _known(session, prefix)
    if key is None:
        raise NotFound(kind="API key", id=prefix)
    if key.revoked_at is None:
        session.execute(update(ApiKey).where(ApiKey.id == key.id).values(revoked_at=now))
        _note(session, actor, AuditAction.API_KEY_REVOKE, key, now)


def _drawn(platform: Platform, label: str, may_write: bool, now: datetime) -> tuple[ApiKey, str]:
    """A key that nobody has yet, and its secret."""
    secret = secrets.token_urlsafe(32)
    key = ApiKey(
        platform=platform,
        label=label,
        prefix=secrets.token_hex(6),
        secret_hash=_hash(secret),
        may_write=may_write,
        created_at=now,
    )
    return key, secret


def _issued(key: ApiKey, secret: str, master: bytes) -> Issued:
    return Issued(key.id, f"edk_{key.prefix}_{secret}", signing_secret(master, "api-key", key.prefix))


def _known(session: Session, prefix: str) -> ApiKey | None:
    return session.scalars(select(ApiKey).where(ApiKey.prefix == prefix.removeprefix("edk_"))).one_or_none()


def _opens(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def recognise(session: Session, authorization: str, limits: Limits, *, now: datetime) -> tuple[Caller, int]:
    """The caller behind an Authorization header, and how many seconds they have to wait: 0 where they had a token of
    their share left, which is taken in the same statement. Raises `KeyMissing`; and `KeyUnknown`, which tells no two
    reasons apart and takes nothing of anybody's share."""
    if not authorization.strip():
        raise KeyMissing()
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split("_", 2)
    if scheme.lower() != "bearer" or len(parts) != 3 or parts[0] != "edk" or "\0" in token:
        raise KeyUnknown()
    asked = {"prefix": parts[1], "hash": _hash(parts[2]), "at": now, **limits.asked()}
    found = session.execute(RECOGNISED, asked).one_or_none()
    same = hmac.compare_digest(asked["hash"], found.secret_hash if found is not None else bytes(32))
    if found is None or not same or found.granted is None:
        raise KeyUnknown()
    caller = Caller(found.id, found.prefix, found.platform, found.may_write)
    return caller, limits.wait(found.granted, found.filled)


def master_key(settings: Settings) -> bytes:
    """What all signing secrets are derived from; made at first use unless API_MASTER_KEY is set."""
    if settings.api_master_key:
        if len(settings.api_master_key) < SHORTEST:
            raise ApiMasterKeyUnfit(shortest=SHORTEST)
        return settings.api_master_key.encode()
    path: Path = settings.home / "keys" / "api-master.key"
    before = path.with_name("door.key")  # its name before 1.1
    if before.exists() and not path.exists():
        before.rename(path)
    if not path.exists():
        create_once(path, base64.b64encode(secrets.token_bytes(32)))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ApiMasterKeyExposed(path=path)
    return path.read_bytes()


def signing_secret(master: bytes, kind: str, name: str) -> str:
    """The secret of one key or endpoint: the same whenever it is asked for, and of no use for another."""
    # The word in it is older than the name of the API; another would make every secret that was handed out wrong.
    derived = hmac.new(master, f"escrow-desk/door/{kind}/{name}".encode(), hashlib.sha256).digest()
    return "eds_" + base64.urlsafe_b64encode(derived).decode().rstrip("=")


def known_platform(platform: str) -> None:
    names = [each.value for each in Platform]
    if platform not in names:
        raise PlatformUnknown(platform=platform, known=" and ".join(names))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _note(
    session: Session,
    actor: Actor,
    action: AuditAction,
    key: ApiKey,
    now: datetime,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        action.by(actor.kind),
        object_kind="api_key",
        object_id=key.id,
        now=now,
        after=after,
    )
