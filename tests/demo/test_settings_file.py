"""Who asks for the demo's database before it can be reached is told whether one is coming."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import Settings
from core.demo import home as own_home
from core.demo import settings_file
from core.demo.settings_file import DemoNotReady, NoDatabase


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own_home.claim(tmp_path)
    return Settings(home=tmp_path, database_url="")


def test_a_demo_that_is_loading_its_data_says_so(settings: Settings) -> None:
    (settings.home / "filling").touch()
    with own_home.held(settings.home), pytest.raises(DemoNotReady, match="still loading its data"):
        settings_file.running(settings)


def test_a_demo_that_starts_or_stops_is_not_said_to_be_loading(settings: Settings) -> None:
    with own_home.held(settings.home), pytest.raises(DemoNotReady, match="is starting or stopping"):
        settings_file.running(settings)


def test_a_demo_that_was_interrupted_while_it_loaded_is_to_be_started(settings: Settings) -> None:
    (settings.home / "filling").touch()
    with pytest.raises(NoDatabase, match="start the demo with `make demo`"):
        settings_file.running(settings)


def test_a_demo_that_runs_is_found_by_its_settings(settings: Settings) -> None:
    settings_file.remember(settings.home, {"DATABASE_URL": "postgresql://app@localhost/desk"})
    with own_home.held(settings.home):
        assert settings_file.running(settings).database_url == "postgresql://app@localhost/desk"
