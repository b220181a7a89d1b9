"""A bucket: objects by their keys in an S3-compatible store, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.config import Settings
from core.errors import DeskError

if TYPE_CHECKING:
    from obstore.store import S3Store

PATIENCE = timedelta(seconds=15)  # for each answer
AT_ONCE = 16


class BucketUnreachable(DeskError):
    """The bucket {bucket} does not answer as it should: {why}."""


class Bucket:
    """The objects below `url`, which is `s3://name/prefix`. Nothing is asked before the first use.

    Every method raises `BucketUnreachable`.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self.url, self._settings = url.rstrip("/"), settings

    def keys(self, folder: str, *, after: str = "") -> Iterator[str]:
        """In order, those that follow `after`."""
        try:
            listing = self._store.list(folder, offset=after or None, chunk_size=1000)
            # S3 lists in order and not every store that speaks its protocol does.
            yield from sorted(str(each["path"]) for chunk in listing for each in chunk)
        except Exception as problem:
            raise self._unreachable(problem) from problem

    def get(self, key: str) -> bytes:
        try:
            return bytes(self._store.get(key).bytes())
        except Exception as problem:
            raise self._unreachable(problem) from problem

    def get_all(self, keys: Iterator[str]) -> Iterator[bytes]:
        """Each object's bytes, in the order of the keys; some are asked for at once."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            while some := list(islice(keys, AT_ONCE)):
                yield from threads.map(self.get, some)

    def create(self, key: str, content: bytes) -> bool:
        """Put an object where there is none; False where there is one."""
        from obstore.exceptions import AlreadyExistsError

        try:
            self._store.put(key, content, mode="create")
        except AlreadyExistsError:
            return False
        except Exception as problem:
            raise self._unreachable(problem) from problem
        return True

    @cached_property
    def _store(self) -> S3Store:
        from obstore.store import S3Store

        said = self._settings
        config: dict[str, Any] = {
            "endpoint": said.s3_endpoint,
            "region": said.s3_region or "us-east-1",
            "access_key_id": said.s3_key_id,
            "secret_access_key": said.s3_secret,
        }
        return S3Store.from_url(
            self.url,
            config={name: value for name, value in config.items() if value},  # type: ignore[arg-type]
            client_options={"allow_http": said.s3_endpoint.startswith("http://"), "timeout": PATIENCE},
            retry_config={"max_retries": 1, "retry_timeout": PATIENCE},
        )

    def _unreachable(self, problem: Exception) -> BucketUnreachable:
        """What the server says, or else the library, in one line: the rest is for its makers."""
        said = str(problem).split("\n\nDebug source")[0]
        if answer := re.search(r"<Code>(\w+)</Code>\s*<Message>([^<]*)</Message>", said):
            said = f"{answer[1]}: {answer[2]}"
        return BucketUnreachable(bucket=self.url, why=" ".join(said.split())[:300] or type(problem).__name__)
