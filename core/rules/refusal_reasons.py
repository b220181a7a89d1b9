"""Reasons why not. A rule that refuses returns blocks: a code for the program, a sentence for the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import DeskError


@dataclass(frozen=True)
class Block:
    """`field`: what in a request it is about, where it is about one of several, as `milestones[1].title`."""

    code: str
    sentence: str
    field: str = ""


class Blocked(DeskError, tells=("blocks",)):
    """Not now: {reasons}"""

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self.blocks = blocks
        super().__init__(blocks=blocks, reasons=" ".join(block.sentence for block in blocks))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.blocks,)
