"""A key's share of requests is one for all processes that serve the API, and refills by the database's clock."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.api.http.rate_limits import Limits
from core.db import Database
from core.records import ApiKey, RateBucket
from tests.api.api_client import ApiClient, a_key, an_api_client, code
from tests.sandbox_desk import Market

ROOT = Path(__file__).resolve().parents[2]
ANOTHER_PROCESS = """
import sys
from core.db import Database
from core.api.http.rate_limits import Limits
url, key, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
database, limits = Database(url), Limits(rate=0.001, burst=60)
print(sum(database.run(lambda session: limits.take(session, key)) == 0 for _ in range(times)))
"""


def test_several_processes_share_one_bucket(home: ApiClient) -> None:
    key_id = home.market.database.run(_id)
    url = home.market.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", ANOTHER_PROCESS, url, str(key_id), "40"]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    granted = [int(each.communicate(timeout=120)[0]) for each in processes]
    assert sum(granted) == 60


def _id(session: Session) -> int:
    return session.scalars(select(ApiKey.id)).one()


def test_threads_take_no_more_than_there_is(market: Market) -> None:
    home = an_api_client(market, limits=Limits(rate=0.001, burst=10))
    with ThreadPoolExecutor(5) as crowd:
        statuses = list(crowd.map(lambda _: home.get("/projects/1").status_code, range(20)))
    assert sorted(statuses) == [404] * 10 + [429] * 10


def test_the_wait_that_is_told_is_long_enough(market: Market) -> None:
    at = [market.now]
    home = an_api_client(market, limits=Limits(rate=0.1, burst=1, clock=lambda: at[0]))
    assert home.get("/projects/1").status_code == 404
    at[0] += timedelta(seconds=2)
    refused = home.get("/projects/1")
    assert (refused.status_code, code(refused), refused.headers["retry-after"]) == (
        429,
        "too_many_requests",
        "8",
    )
    assert refused.json()["facts"] == {"seconds": 8}
    at[0] += timedelta(seconds=8) - timedelta(microseconds=1)
    assert home.get("/projects/1").status_code == 429
    at[0] += timedelta(microseconds=1)
    assert home.get("/projects/1").status_code == 404


def test_a_clock_that_goes_back_gives_nothing_away(market: Market) -> None:
    at = [market.now]
    home = an_api_client(market, limits=Limits(rate=1, burst=1, clock=lambda: at[0]))
    assert home.get("/projects/1").status_code == 404
    at[0] -= timedelta(hours=1)
    assert home.get("/projects/1").status_code == 429
    at[0] += timedelta(hours=1)
    assert home.get("/projects/1").status_code == 429


def test_a_pause_fills_no_more_than_the_bucket(market: Market) -> None:
    at = [market.now]
    home = an_api_client(market, limits=Limits(rate=5, burst=2, clock=lambda: at[0]))
    home.get("/projects/1")
    at[0] += timedelta(days=1)
    assert [home.get("/projects/1").status_code for _ in range(3)] == [404, 404, 429]


def test_each_key_has_its_own_share_and_a_refused_signature_has_used_it(market: Market) -> None:
    home = an_api_client(market, limits=Limits(rate=0.001, burst=1))
    assert home.get("/projects/1", secret="eds_guessed").status_code == 401
    assert home.get("/projects/1").status_code == 429
    home.issued = a_key(market.desk)
    assert home.get("/projects/1").status_code == 404
    assert market.count(RateBucket) == 2


def test_taking_a_token_waits_for_no_disk(home: ApiClient, owner: Database) -> None:
    """The bucket is unlogged: its commit waits for no disk, so it costs about what reading the key costs."""
    with owner.reading() as session:
        logged = session.connection().exec_driver_sql(
            "select relpersistence from pg_class where relname = 'rate_buckets'"
        )
        assert logged.scalar() == "u"
