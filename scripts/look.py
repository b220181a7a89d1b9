"""What a designer measures on a demo that runs: contrast of every text (WCAG AA), overflow, and the focus ring.

    python -m scripts.look --at http://127.0.0.1:8600 --home .escrow-desk

Prints what falls short, page by page, in light and dark; exit code 1 if anything does. Grids are canvas and are not
measured here: their colours are the theme's, which are.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from scripts.screenshots import NARROW, SCHEMES, WIDE, _running, pictures, visits, when_still
from tests.browser import arguments, find_browser

MEASURE = """
() => {
  const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parse = text => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== 'none') return null;
      const colour = parse(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest('[disabled], [aria-disabled=true], canvas, style, script, [data-testid=stDataFrame]')) continue;
    if (element.closest('[data-testid=stIconMaterial]')) continue;
    if (element.closest('label')?.querySelector(':disabled')) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(element), below = behind(element);
    if (!below) continue;
    let opacity = 1;
    for (let e = element; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
    const ink = parse(style.color); ink[3] *= opacity;
    const [a, b] = [light(over(ink, below)), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const least = size >= 24 || (size >= 18.66 && bold) ? 3 : 4.5;
    if (ratio < least) {
      const key = `${element.className || element.tagName}|${style.color}|${below.map(Math.round)}`;
      const name = String(element.className).slice(0, 40);
      found.set(key, `${ratio.toFixed(2)} “${text.slice(0, 40)}” ${name} ${style.color} on ${below.map(Math.round)}`);
    }
  }
  return [...found.values()];
}
"""
OVERFLOW = """
() => {
  const wide = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) wide.push('the page scrolls sideways');
  for (const e of document.querySelectorAll('[data-testid=stMain] *')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    const scrolls = e.closest('canvas, .dvn-scroller, .ed-wide, .ed-full, [data-testid=stDataFrame]');
    if (box.width && box.right > innerWidth + 1 && style.position !== 'absolute' && !scrolls)
      { wide.push(`${e.tagName} ${String(e.className).slice(0, 50)} ends at ${Math.round(box.right)}`); break; }
  }
  return wide;
}
"""
RINGS = """
() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const seen = element => {
    const s = getComputedStyle(element), outlined = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
    return outlined || s.boxShadow !== 'none' || parseFloat(s.borderWidth) > 0;
  };
  let at = e, ring = false;
  for (let up = 0; at && up < 4; up++, at = at.parentElement) ring = ring || seen(at);
  return ring ? '' : `${e.tagName} ${e.getAttribute('aria-label') || e.innerText?.slice(0, 30) || e.className}`;
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", required=True)
    parser.add_argument("--home", type=Path, default=Path(".escrow-desk"))
    parser.add_argument("--only", nargs="*")
    given = parser.parse_args()
    short = 0
    with _running(given) as (address, database), sync_playwright() as playwright:
        wanted = [each for each in pictures(database) if not given.only or each.name in given.only]
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments())
        for scheme in SCHEMES:
            for size in (WIDE, NARROW):
                for name, page in visits(browser, address, wanted, size, scheme):
                    when_still(page)
                    faults = [*page.evaluate(MEASURE), *page.evaluate(OVERFLOW), *_unringed(page)]
                    short += len(faults)
                    for each in faults:
                        print(f"{name} {size[0]} {scheme}: {each}", flush=True)
        browser.close()
    raise SystemExit(1 if short else 0)


def _unringed(page: Page, *, steps: int = 12) -> list[str]:
    """Whatever the first steps of the Tab key land on without a visible mark."""
    found: list[str] = []
    for _ in range(steps):
        page.keyboard.press("Tab")
        said: Any = page.evaluate(RINGS)
        if said and (words := f"no focus ring: {said}") not in found:
            found.append(words)
    return found


if __name__ == "__main__":
    main()
