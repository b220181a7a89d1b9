"""Pages made from the code are what the code says now, and the walk through the house meets files that exist."""

from __future__ import annotations

import re

from core.embedded_postgres import Urls
from scripts import architecture, schema


def test_the_picture_of_the_floors_is_made_from_the_contracts() -> None:
    assert architecture.PAGE.read_text(encoding="utf-8") == architecture.page(), (
        "run `python -m scripts.architecture`"
    )


def test_the_floors_are_those_of_the_house() -> None:
    named = [name for floor in architecture.floors() for name in floor]
    assert named[:2] == ["pages", "dashboard"]
    assert len(named) == len(set(named)) > 20


def test_the_walk_names_files_that_exist() -> None:
    named = re.findall(r"`([a-z][\w/]+\.py)`", architecture.PAGE.read_text(encoding="utf-8"))
    assert len(named) > 10
    assert [path for path in named if not (architecture.ROOT / path).is_file()] == []


def test_the_schema_is_drawn_from_the_migrations(urls: Urls) -> None:
    assert schema.PAGE.read_text(encoding="utf-8") == schema.drawn(urls.owner_url), (
        "run `python -m scripts.schema`"
    )
