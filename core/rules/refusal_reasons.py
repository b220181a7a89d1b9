"""Reasons why not. A rule that refuses returns blocks: a code for the program, a sentence for the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import DeskError


@dataclass(frozen=True)
class Block:
    code: str
    sentence: str


class Blocked(DeskError):
    """Not now: {reasons}"""

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self.blocks = blocks
        super().__init__(blocks=blocks, reasons=" ".join(block.sentence for block in blocks))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.blocks,)
