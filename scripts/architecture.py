"""The picture of the floors in docs/architecture.md, from the import contracts in pyproject.toml.

python -m scripts.architecture     draws it again; a test fails while it is not what the contracts say
"""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- floors: made by python -m scripts.architecture -->\n", "<!-- end of floors -->"


def floors() -> list[list[str]]:
    """From the top down, the packages that stand beside each other on each floor."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    whole, inside = [each["layers"] for each in contracts if each["type"] == "layers"]
    core = [[name.strip(" ()") for name in layer.split(":")] for layer in inside]
    return [[name] for name in whole if name != "core"] + [
        [f"core.{name}" for name in floor] for floor in core
    ]


def picture() -> str:
    """Mermaid: one box a floor, an arrow to the floor below. Imports go down, past floors too, and never up."""
    lines = ["```mermaid", "flowchart TB"]
    for number, floor in enumerate(floors()):
        lines.append(f'    floor{number}["{" · ".join(floor)}"]')
    lines += [f"    floor{number} --> floor{number + 1}" for number in range(len(floors()) - 1)]
    return "\n".join([*lines, "```", ""])


def page() -> str:
    """The page with its picture drawn again."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + picture() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
