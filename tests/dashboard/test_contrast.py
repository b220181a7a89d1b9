"""Every text colour of the desk stands out from what is behind it: 4.5 to 1 (WCAG AA), in light and in dark."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSS = (ROOT / "dashboard/ui/desk.css").read_text(encoding="utf-8")
THEME = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"]
PAIRS = {name: pair for name, *pair in re.findall(r"--ed-([a-z-]+): light-dark\((#\w+), (#\w+)\)", CSS)}
TONES = ("good", "wait", "bad", "info", "quiet")
SCHEMES = ("light", "dark")
LEAST = 4.5


def light(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(ink: str, below: str) -> float:
    brighter, darker = sorted((light(ink), light(below)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def ours(name: str, scheme: str) -> str:
    return PAIRS[name][SCHEMES.index(scheme)]


def test_the_measure_is_the_one_that_everybody_uses() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("tone", TONES)
def test_a_pill_and_its_tone_are_read(scheme: str, tone: str) -> None:
    assert contrast(ours(f"{tone}-ink", scheme), ours(f"{tone}-soft", scheme)) >= LEAST
    if tone != "quiet":
        assert contrast(ours(f"{tone}-ink", scheme), THEME[scheme]["backgroundColor"]) >= LEAST


@pytest.mark.parametrize("scheme", SCHEMES)
def test_quiet_words_are_read_on_every_ground(scheme: str) -> None:
    theme = THEME[scheme]
    grounds = [
        theme["backgroundColor"],
        theme["secondaryBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
    ]
    for below in (*grounds, ours("soft", scheme)):
        assert contrast(ours("dim", scheme), below) >= LEAST, below
        assert contrast(theme["textColor"], below) >= 7, below


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_theme_s_own_colours_are_read(scheme: str) -> None:
    theme = THEME[scheme]
    for name in ("green", "orange", "red", "blue", "gray"):
        assert contrast(theme[f"{name}TextColor"], theme[f"{name}BackgroundColor"]) >= LEAST, name
    assert contrast(theme["linkColor"], theme["backgroundColor"]) >= LEAST
    assert contrast(theme["dataframeHeaderTextColor"], theme["dataframeHeaderBackgroundColor"]) >= LEAST
    assert contrast("#ffffff", theme["primaryColor"]) >= LEAST, "what stands on the main button"
