"""A desk on a test's database, with only the parts that the test is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from core.clock import Clock, system_clock
from core.config import Settings
from core.db import Database
from core.desk import Desk
from core.gateways.mail import mail_from


def a_desk(database: Database, home: Path, *, clock: Clock = system_clock, **settings: Any) -> Desk:
    """No payment provider and no evidence store; letters become files under `home` unless `smtp_url` is given."""
    chosen = Settings(home=home, database_url="", **{"smtp_url": "", **settings})
    absent = cast(Any, None)
    return Desk(
        settings=chosen,
        database=database,
        auditor=database,
        payments=absent,
        evidence=absent,
        mail=mail_from(chosen),
        clock=clock,
    )
