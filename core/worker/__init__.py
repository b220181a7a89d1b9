"""The worker: runs jobs, sweeps and seals beside any number of other workers, until it is asked to stop.

Asked once (Ctrl-C or SIGTERM) it finishes what it is doing; asked twice it stops at once, and the others take over. A
database that goes away stops nothing: the worker waits for it to come back.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector

from core.audit import outside_places
from core.db import application_name
from core.desk import Desk
from core.worker import tasks, upkeep

log = structlog.get_logger("worker")

CONCURRENCY = 4
WAIT_FOR_DATABASE = 2.0
GLANCE = 0.2


def run(desk: Desk, *, concurrency: int = CONCURRENCY, stop: threading.Event | None = None) -> None:
    """Work until Ctrl-C, SIGTERM or `stop`; returns when the running jobs are done.

    Signals are heard only in the main thread; elsewhere it is `stop` that ends it.
    """
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # our own lines say it better
    stopping = stop or threading.Event()
    beside = [
        _each_second("seal", lambda: upkeep.seal(desk), stopping),
        *(
            _each_second(f"checkpoints_outside.{place.kind}", partial(upkeep.publish, desk, place), stopping)
            for place in outside_places.places(desk.settings)
        ),
    ]
    if desk.settings.demo:
        from core.worker import moving_time

        beside.append(_each_second("time", lambda: moving_time.advance_if_asked(desk, stopping), stopping))
    with _stopped_by_signals(stopping):
        for each in beside:
            each.start()
        log.info("worker.started", concurrency=concurrency)
        try:
            asyncio.run(_work(desk, concurrency, stopping))
        finally:
            stopping.set()
            for each in beside:
                each.join()
            log.info("worker.stopped")


def _each_second(name: str, work: Callable[[], object], stopping: threading.Event) -> threading.Thread:
    return threading.Thread(target=upkeep.each_second, args=(work, stopping), kwargs={"name": name})


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: Any) -> None:
        stopping.set()
        for each in before:
            signal.signal(each, signal.SIG_DFL)  # asked again, the process ends at once

    for each in before:
        signal.signal(each, ask)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


async def _work(desk: Desk, concurrency: int, stopping: threading.Event) -> None:
    threads = ThreadPoolExecutor(concurrency + 2, thread_name_prefix="job")
    asyncio.get_running_loop().set_default_executor(threads)
    asked = asyncio.create_task(_asked(stopping))
    while not asked.done():
        queue = asyncio.create_task(_serve_queue(desk, concurrency))
        await asyncio.wait({queue, asked}, return_when=asyncio.FIRST_COMPLETED)
        queue.cancel()  # finishes the running jobs first
        with suppress(asyncio.CancelledError):
            await _report(queue)
        if not asked.done():
            await asyncio.wait({asked}, timeout=WAIT_FOR_DATABASE)


async def _asked(stopping: threading.Event) -> None:
    while not stopping.is_set():
        await asyncio.sleep(GLANCE)


async def _report(queue: asyncio.Task[None]) -> None:
    try:
        await queue
    except Exception as error:
        log.error("worker.interrupted", reason=f"{type(error).__name__}: {error}", again_in=WAIT_FOR_DATABASE)


async def _serve_queue(desk: Desk, concurrency: int) -> None:
    """Run jobs until cancelled, or until the database goes away."""
    address = desk.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(
        connector=PsycopgConnector(
            conninfo=address,
            min_size=1,
            max_size=concurrency + 2,
            kwargs={"application_name": application_name("worker"), "connect_timeout": 5},
        )
    )
    tasks.register(app, desk)
    upkeep.register(app)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=concurrency,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=upkeep.HEARTBEAT,
            stalled_worker_timeout=upkeep.DEAD_AFTER,
        )
