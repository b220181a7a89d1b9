"""Pages made from the code are what the code says now, and no page names a file, a module or a piece of code that is
not there."""

from __future__ import annotations

import importlib
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

from core.embedded_postgres import Urls
from scripts import architecture, schema

ROOT = architecture.ROOT


def test_the_picture_of_the_floors_is_made_from_the_contracts() -> None:
    assert architecture.PAGE.read_text(encoding="utf-8") == architecture.page(), (
        "run `python -m scripts.architecture`"
    )


def test_the_floors_are_those_of_the_house() -> None:
    named = [name for floor in architecture.floors() for name in floor]
    assert named[:2] == ["pages", "dashboard"]
    assert len(named) == len(set(named)) > 20


NOT_SAID = re.compile(r"```.*?```|## Retired names.*?\n## ", re.DOTALL)
PAGES = {
    path.relative_to(ROOT).as_posix(): NOT_SAID.sub("", path.read_text(encoding="utf-8"))
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if path.name != "CHANGELOG.md"  # it tells what was
}
MARKED = [
    (page, words) for page, text in PAGES.items() for words in sorted(set(re.findall(r"`([^`\n]+)`", text)))
]
FILES = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()
# What has a name elsewhere: at Stripe, and in the specifications.
NOT_OURS = set(
    "confirmCardPayment handleNextAction confirmSetup createToken pm_card_refundFail ChargeDeclinedInsufficientFunds "
    "SetupForOffSession DisputeTicket".split()
)


def there_is(path: str) -> bool:
    """`<noun>` stands for any name, as `*` does; a file without its folder is named beside one with it."""
    pattern = re.sub(r"<[^>]+>", "*", path).rstrip("/")
    parts = re.fullmatch(r"(.*)\{(.+)\}(.*)", pattern)
    if parts:
        return all(there_is(f"{parts[1]}{each}{parts[3]}") for each in parts[2].split(","))
    if "/" not in path:
        return any(fnmatch(Path(each).name, pattern) for each in FILES)
    return any(fnmatch(each, pattern) or fnmatch(each, f"{pattern}/*") for each in FILES)


def test_every_file_that_a_page_names_is_there() -> None:
    folders = "|".join(sorted({each.partition("/")[0] for each in FILES if "/" in each and each[0] != "."}))
    named = [
        (page, words)
        for page, words in MARKED
        if re.fullmatch(rf"(?:{folders})/[\w/.*<>{{}},-]*|[\w<>*]+\.py", words)
    ]
    assert len(named) > 300
    assert [each for each in named if not there_is(each[1])] == []


def test_every_module_that_a_page_names_has_what_it_says() -> None:
    named = [
        (page, words)
        for page, words in MARKED
        if re.fullmatch(r"(?:core|dashboard|scripts)(?:\.\w+)+", words)
    ]
    assert len(named) > 50
    missing = []
    for page, words in named:
        module, _, name = words.rpartition(".")
        try:
            importlib.import_module(words)
        except ImportError:
            if not hasattr(importlib.import_module(module), name):
                missing.append((page, words))
    assert missing == []


def test_every_name_of_code_in_a_page_stands_in_the_code() -> None:
    """Whatever has an underline or a capital within: a function, a class, a column, a variable, a key."""
    ours = [
        each
        for each in FILES
        if each == "Makefile" or each.endswith((".py", ".sql", ".js", ".toml", ".yml", ".json"))
    ]
    known = {Path(part).stem for each in FILES for part in Path(each).parts} | NOT_OURS
    for each in ours:
        known.update(re.findall(r"\w+", (ROOT / each).read_text(encoding="utf-8")))
    named = {
        (page, name)
        for page, words in MARKED
        for name in re.findall(r"(?<!\*)\b[A-Za-z]\w{2,}\b(?!\*)", words)
        if "_" in name.strip("_") or re.search(r"[a-z][A-Z]", name)
    }
    assert len(named) > 700
    assert sorted(each for each in named if each[1] not in known) == []


def test_the_schema_is_drawn_from_the_migrations(urls: Urls) -> None:
    assert schema.PAGE.read_text(encoding="utf-8") == schema.drawn(urls.owner_url), (
        "run `python -m scripts.schema`"
    )
