"""The package that `pip install` takes, without a checkout: pages, migrations, theme and settings are inside."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bench.pages import free_port
from core.embedded_postgres import Urls
from tests.pages.served_desk import await_health

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that comes before the checkout's, wherever Python is started."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in tracked.decode().rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    build = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, folder / "source"]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    place = folder / "installed"
    subprocess.run([*PIP, "install", "--no-deps", "--no-index", "--target", place, wheel], check=True)
    return place


def run(installed: Path, cwd: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_desk_is_migrated_and_served_from_the_wheel(installed: Path, urls: Urls, tmp_path: Path) -> None:
    place = run(installed, tmp_path, "-c", "import dashboard.server as s; print(s.settings_folder())")
    assert Path(place.stdout.strip()) == installed / "dashboard"
    ours = {
        "DATABASE_URL": urls.app_url,
        "DATABASE_OWNER_URL": urls.owner_url,
        "ESCROW_DESK_DEMO": "true",
        "ESCROW_DESK_HOME": str(tmp_path / "home"),
        "STRIPE_API_KEY": "sk_test_x",
    }
    migrated = run(installed, tmp_path, "-m", "core.cli", "migrate", **ours)
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.server", "--port", str(port)],
        cwd=tmp_path,
        env={**os.environ, **ours, "PYTHONPATH": str(installed)},
    )
    try:
        await_health(f"http://127.0.0.1:{port}/healthz")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in") as reply:
            assert "Escrow Desk" in reply.read().decode()
    finally:
        process.terminate()
        process.wait(20)


def test_pages_and_migrations_are_inside(installed: Path) -> None:
    for folder in ("pages", "migrations/versions"):
        here, there = ({each.name for each in (where / folder).glob("*.py")} for where in (installed, ROOT))
        assert here == there


def test_without_its_settings_nothing_is_served(installed: Path, tmp_path: Path) -> None:
    settings = installed / "dashboard" / ".streamlit" / "config.toml"
    kept = settings.read_bytes()
    settings.unlink()
    try:
        asked = run(installed, tmp_path, "-c", "import dashboard.server as s; s.settings_folder()")
        assert "config.toml is missing beside the dashboard" in asked.stderr
    finally:
        settings.write_bytes(kept)
