"""Code 128 as a picture for the screen or a sheet of paper: black on white, whatever the colours of the page."""

from __future__ import annotations

from reportlab.graphics.barcode.code128 import Code128

QUIET = 10  # white modules on either side
MODULE, HEIGHT = 2, 72


def modules(words: str) -> list[tuple[int, int]]:
    """The bars: where each begins and how wide it is, in modules."""
    code = Code128(words)
    for step in (code.validate, code.encode, code.decompose):
        step()
    bars, at = [], QUIET
    for width in code.decomposed:
        # Bars are capital letters, spaces small ones; "A" is one module wide, "D" four.
        wide = ord(width.lower()) - ord("a") + 1
        if width.isupper():
            bars.append((at, wide))
        at += wide
    return [*bars, (at + QUIET, 0)]


def svg(words: str) -> str:
    """The picture, with its words below for people."""
    *bars, (width, _end) = modules(words)
    drawn = "".join(f'<rect x="{x * MODULE}" y="8" width="{w * MODULE}" height="{HEIGHT}"/>' for x, w in bars)
    across = width * MODULE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {HEIGHT + 32}" width="{across}">'
        f'<rect width="{across}" height="{HEIGHT + 32}" fill="#fff"/>{drawn}'
        f'<text x="{across // 2}" y="{HEIGHT + 26}" text-anchor="middle" font-family="monospace" font-size="14">{words}'
        "</text></svg>"
    )
