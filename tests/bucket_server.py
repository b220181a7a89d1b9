"""A bucket for tests: moto's server, which speaks S3 over HTTP on loopback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from moto.server import ThreadedMotoServer

BUCKET = "proof"


@contextmanager
def bucket_server() -> Iterator[dict[str, Any]]:
    """The settings that lead to a bucket there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        requests.post(f"{endpoint}/moto-api/reset", timeout=10).raise_for_status()
        requests.put(f"{endpoint}/{BUCKET}", timeout=10).raise_for_status()
        yield {
            "checkpoint_bucket": f"s3://{BUCKET}/desk",
            "s3_endpoint": endpoint,
            "s3_key_id": "test",
            "s3_secret": "test",
        }
    finally:
        server.stop()
