"""Seeds, one after the other: `python -m tests.seeded_faults --seeds 200 --from 0`. Exit code 1 where a law is broken.

A seed that fails prints what happened in it and the line that lives it again. With `--mutants` each mistake of
`mutants.py` is lived until a law finds it; exit code 1 where one is not found.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from contextlib import nullcontext

from tests.seeded_faults.grounds import Grounds, grounds
from tests.seeded_faults.life import STEPS, Seed, lived
from tests.seeded_faults.mutants import MUTANTS, mutated


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the number of the first")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each seed")
    parser.add_argument("--tell", action="store_true", help="what happened in seeds that are well, too")
    parser.add_argument("--mutants", nargs="*", choices=list(MUTANTS), help="these mistakes, or all of them")
    given = parser.parse_args()
    numbers = range(given.first, given.first + given.seeds)
    with grounds() as ground:
        if given.mutants is None:
            return _seeds(ground, numbers, steps=given.steps, tell=given.tell)
        return _mutants(ground, given.mutants or list(MUTANTS), numbers, steps=given.steps)


def _seeds(ground: Grounds, numbers: range, *, steps: int, tell: bool) -> int:
    began, failed, deaths, cuts, done = time.monotonic(), 0, Counter[str](), Counter[str](), 0
    for number in numbers:
        seed = _lived(ground, number, steps)
        deaths += seed.deaths
        cuts += seed.cuts
        failed += bool(seed.broken)
        done += seed.done.total()
        print(said(seed) if seed.broken or tell else f"seed {number}: well", flush=True)
    took = time.monotonic() - began
    print(f"{len(numbers)} seeds, {failed} with a broken law; {done} steps carried out in {took:.0f} s")
    print(f"{deaths.total()} processes killed at {len(deaths)} named points:")
    for point, times in deaths.most_common():
        print(f"  {times:5}  {point}")
    print(f"{cuts.total()} connections cut:")
    for cut, times in cuts.most_common():
        print(f"  {times:5}  {cut}")
    return 1 if failed else 0


def _mutants(ground: Grounds, names: list[str], numbers: range, *, steps: int) -> int:
    missed = 0
    for name in names:
        for number in numbers:
            seed = _lived(ground, number, steps, mutant=name)
            if seed.broken:
                first = seed.broken[0]
                print(f"✓ {name}: after {number - numbers.start + 1} seeds, {first.law}", flush=True)
                print(f"    {first.found[:160]}", flush=True)
                break
        else:
            missed += 1
            print(f"✗ {name}: not found in {len(numbers)} seeds", flush=True)
    print(f"{len(names) - missed} of {len(names)} mutants were found")
    return 1 if missed else 0


def _lived(ground: Grounds, number: int, steps: int, *, mutant: str = "") -> Seed:
    with ground.place(number) as place, mutated(mutant, place.owner) if mutant else nullcontext():
        return lived(number, place, steps=steps)


def said(seed: Seed) -> str:
    return "\n".join(
        [
            f"seed {seed.number}: {'BROKEN' if seed.broken else 'well'}",
            *(f"  {line}" for line in seed.told),
            *(f"  ✗ {each.law}: {each.found[:2000]}" for each in seed.broken),
            *([f"  again: make faults SEEDS=1 FROM={seed.number}"] if seed.broken else []),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
