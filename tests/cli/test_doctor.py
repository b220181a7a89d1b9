"""The doctor looks at every part, says what to do about one that is missing, and changes nothing by looking."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core import audit, doctor
from core.clock import system_clock
from core.db import Database
from core.doctor import Look
from core.gateways.evidence_keys import Keyring
from core.gateways.stripe_sandbox import StripeSandbox
from tests import builders
from tests.cli.terminal import Terminal

PARTS = [
    *["Python", "Home", "Evidence key", "Signing key", "API master key"],
    *["Database as app", "Database as auditor", "Schema"],
    *[
        "Erasures",
        "Clock, and the database's",
        "Stripe",
        "Clock, and Stripe's",
        "Webhook secret",
        "Mail",
        "Contact in e-mails",
    ],
]
# What goes on by itself has its own tests, with a worker that works: tests/queries/test_health.py.
RUNNING = [
    "Worker",
    "Webhooks",
    "Stripe requests",
    "E-mails",
    "Oldest waiting",
    "Record",
    "Checkpoints outside",
    "Reconciliation",
    "Client funds",
    "Nightly check",
]


@pytest.fixture
def well(terminal: Terminal, town: builders.Town, running_sandbox: StripeSandbox) -> Terminal:
    """An installation in which nothing is missing."""
    terminal.environment |= {
        "STRIPE_API_KEY": running_sandbox.key,
        "STRIPE_API_BASE": running_sandbox.url,
        "SMTP_URL": "smtps://letters:secret@mail.test",
    }
    return terminal


def looks(terminal: Terminal, **also: str) -> dict[str, Look]:
    said = terminal.run("doctor", "--json", **also)
    assert said.code == (0 if all(each["ok"] for each in said.json) else 1)
    return {each["what"]: Look(**each) for each in said.json}


def test_where_everything_is_in_place_the_doctor_is_content_and_leaves_no_trace(
    well: Terminal, home: Path
) -> None:
    found = looks(well)
    assert list(found) == PARTS + RUNNING
    assert [each for each in found.values() if not each.ok and each.what not in RUNNING] == []
    assert list(home.iterdir()) == []
    assert not found["Worker"].ok
    assert "start `escrow-desk worker`" in found["Worker"].words
    words = well.run("doctor").out
    for each in found.values():
        assert f"{each.what}: {each.words}" in words
    assert "secret" not in found["Mail"].words


def test_with_nothing_configured_every_part_is_still_looked_at(tmp_path: Path) -> None:
    here = {"ESCROW_DESK_HOME": str(tmp_path / "absent"), "STRIPE_API_BASE": "http://127.0.0.1:9"}
    found = looks(Terminal(here))
    assert list(found) == [*PARTS, "Work in progress"]
    right = ["Python", "Evidence key", "Signing key", "API master key", "Contact in e-mails"]
    assert [each.what for each in found.values() if each.ok] == right
    for part, words in {
        "Home": "does not exist",
        "Database as app": "set DATABASE_URL",
        "Stripe": "set STRIPE_API_KEY",
        "Clock, and Stripe's": "does not answer",
        "Webhook secret": "set STRIPE_WEBHOOK_SECRET",
        "Mail": "Set SMTP_URL",
    }.items():
        assert words in found[part].words


def test_keys_that_are_unfit_lost_or_open_to_others_are_found(well: Terminal, home: Path) -> None:
    assert "32 bytes" in looks(well, EVIDENCE_KEY="short")["Evidence key"].words
    assert not looks(well, API_MASTER_KEY="short")["API master key"].ok
    good = base64.b64encode(bytes(32)).decode()
    assert looks(well, EVIDENCE_KEY=good, API_MASTER_KEY="d" * 32)["Evidence key"].words == "EVIDENCE_KEY"

    Keyring(home / "keys").key_for(7, make=True)
    assert looks(well)["Evidence key"].ok
    assert "does not open" in looks(well, EVIDENCE_KEY=good)["Evidence key"].words
    (home / "keys" / "evidence.key").chmod(0o640)
    assert "chmod 600" in looks(well)["Evidence key"].words
    (home / "keys" / "evidence.key").unlink()
    assert "restore it" in looks(well)["Evidence key"].words

    (home / "keys" / "api-master.key").write_text("x" * 44)
    (home / "keys" / "api-master.key").chmod(0o604)
    assert "chmod 600" in looks(well)["API master key"].words


def test_a_home_that_others_can_look_into_or_write_to_is_found(well: Terminal, home: Path) -> None:
    (home / "keys").mkdir(mode=0o755)
    assert "chmod 700" in looks(well)["Home"].words
    (home / "keys").chmod(0o700)
    home.chmod(0o777)
    assert "chmod go-w" in looks(well)["Home"].words


def test_a_schema_that_is_behind_asks_for_migrate(well: Terminal, owner: Database) -> None:
    with owner.transaction() as session:
        session.execute(text("update alembic_version set version_num = '0008'"))
    found = looks(well)["Schema"]
    assert not found.ok
    assert "0009" in found.words
    assert "escrow-desk migrate" in found.words


def test_a_database_that_is_down_fails_its_own_lines_only(well: Terminal) -> None:
    found = looks(well, DATABASE_URL="postgresql://a:b@127.0.0.1:9/x", DATABASE_AUDITOR_URL="gossip")
    assert not found["Database as app"].ok
    assert "login:password@host" in found["Database as auditor"].words
    assert found["Stripe"].ok
    assert found["Home"].ok


def test_a_login_without_its_role_is_named(well: Terminal, terminal: Terminal) -> None:
    found = looks(well, DATABASE_AUDITOR_URL=terminal.environment["DATABASE_URL"])
    assert "role auditor" in found["Database as auditor"].words


def test_stripe_that_refuses_the_key_and_secrets_that_are_none_are_named(well: Terminal) -> None:
    found = looks(well, STRIPE_API_KEY="sk_somebody_elses", STRIPE_WEBHOOK_SECRET="whsec_a, sk_test_b")
    assert not found["Stripe"].ok
    assert "somebody_elses" not in found["Stripe"].words
    assert "1 of 2" in found["Webhook secret"].words
    assert looks(well, STRIPE_WEBHOOK_SECRET="whsec_a,whsec_b")["Webhook secret"].words == "2 are set"


@pytest.mark.parametrize(("hours", "how"), [(1, "ahead"), (-1, "behind")])
def test_a_clock_that_is_wrong_is_measured(
    well: Terminal, monkeypatch: pytest.MonkeyPatch, hours: int, how: str
) -> None:
    monkeypatch.setattr(doctor, "system_clock", lambda: system_clock() + timedelta(hours=hours))
    found = looks(well)
    for name in ("Clock, and the database's", "Clock, and Stripe's"):
        assert not found[name].ok
        assert how in found[name].words
        assert 3_590 <= int("".join(filter(str.isdigit, found[name].words))) <= 3_610


def test_the_fingerprint_that_case_files_are_compared_with_is_told(well: Terminal, home: Path) -> None:
    assert "`escrow-desk migrate` makes it" in looks(well)["Signing key"].words
    key = audit.signer(home).public.fingerprint
    assert looks(well)["Signing key"].words.startswith(f"fingerprint {key}, not pinned yet")
    assert well.run("audit", "seal").code == 0
    assert looks(well)["Signing key"] == Look(
        "Signing key", True, f"fingerprint {key}, pinned in the database"
    )
    path = home / "keys" / "checkpoints.pem"
    path.chmod(0o644)
    assert "0600" in looks(well)["Signing key"].words
    path.chmod(0o600)
    path.write_text("no key")
    assert not looks(well)["Signing key"].ok
    path.unlink()
    lost = looks(well)["Signing key"]
    assert not lost.ok
    assert key in lost.words
    well.run("audit", "seal").refuses(str(path), key, "Nothing is signed")
    assert not path.exists(), "asking makes no key"
