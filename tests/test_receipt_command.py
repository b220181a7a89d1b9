"""`escrow-desk receipt`: the paper of one payment from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from core import cli
from core.db import Database
from core.embedded_postgres import Urls
from core.errors import NotFound
from core.records import Receipt
from tests import stories


def test_a_receipt_is_written_where_it_was_asked_for(
    database: Database, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", urls.app_url)
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_x")
    monkeypatch.setenv("ESCROW_DESK_HOME", str(tmp_path))
    town = stories.a_town(database)
    stories.funded(town)
    row = town.read(lambda session: session.scalars(select(Receipt)).one())
    out = tmp_path / "receipt.pdf"
    ran = CliRunner().invoke(cli.app, ["receipt", str(row.id), "--out", str(out), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.output)["number"] == row.number
    assert out.read_bytes().startswith(b"%PDF")
    missing = CliRunner().invoke(cli.app, ["receipt", "999999", "--out", str(out)])
    assert isinstance(missing.exception, NotFound)
