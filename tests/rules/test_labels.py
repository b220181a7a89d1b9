"""What a status or a kind is called on screen: every enum that has labels has one for each of its names."""

from __future__ import annotations

import importlib
import pkgutil
from enum import StrEnum

import pytest

from core import actions, rules


def labelled() -> list[type[StrEnum]]:
    for package in (rules, actions):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found = [
        each for each in _below(StrEnum) if "label" in vars(each) and each.__module__.startswith("core.")
    ]
    return sorted(found, key=lambda each: each.__qualname__)


def _below(kind: type[StrEnum]) -> list[type[StrEnum]]:
    return [each for below in kind.__subclasses__() for each in (below, *_below(below))]


@pytest.mark.parametrize("kind", labelled(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_name_has_a_label_of_its_own(kind: type[StrEnum]) -> None:
    labels = [each.label for each in kind]  # type: ignore[attr-defined]
    assert len(set(labels)) == len(labels)
    for label in labels:
        assert label == label.strip() != ""
        assert "_" not in label
