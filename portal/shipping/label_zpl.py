"""A label in the words of a Zebra printer: ZPL II, 203 dpi. The text is sent as UTF-8."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from portal.shipping.label_pdf import (
    DOT,
    HEIGHT,
    PAGE_DOTS,
    POINT,
    Bars,
    Box,
    Mark,
    Square,
    Text,
    Watermark,
    bar_dots,
    modules,
    square_dots,
)

# The prefixes of commands, the sign of an escape, what a text block reads as a new line, and everything unprinted.
SPECIAL = re.compile(r"[\^~_\\\x00-\x1f\x7f-\x9f]")


def written(marks: Sequence[Mark]) -> str:
    """One label. Letters are UTF-8 (^CI28), so the words need no other escape than the one below."""
    size = f"^PW{PAGE_DOTS}^LL{_dots(HEIGHT)}^LH0,0"
    return "\n".join(["^XA", "^CI28", size, *(line for mark in marks for line in _command(mark)), "^XZ"])


def escaped(words: str) -> str:
    """Words nobody can smuggle a command into: what means something to the printer is sent as a number (^FH)."""
    return SPECIAL.sub(lambda found: "".join(f"_{byte:02X}" for byte in found[0].encode()), words)


def _command(mark: Mark) -> Iterator[str]:
    """A watermark is left to the PDF: a thermal head has no grey, and black would hide the address."""
    match mark:
        case Text(x, y, words, size, _bold, white):
            colour = "^FR" if white else ""
            yield f"^FT{_dots(x)},{_dots(y)}^A0N,{_dots(size * POINT)}{colour}^FH_^FD{escaped(words)}^FS"
        case Box(space, line):
            frame = f"^GB{_dots(space.width)},{_dots(space.height)},{_dots(line)}"
            yield f"^FO{_dots(space.x)},{_dots(space.y)}{frame}^FS"
        case Bars(key, y, height):
            dots = bar_dots(key)
            left = (PAGE_DOTS - modules(key) * dots) // 2
            yield f"^FO{left},{_dots(y)}^BY{dots}^A0N,42^BCN,{_dots(height)},Y,N,N,A^FD{key}^FS"
        case Square(key, x, y, _side):
            dots = square_dots(mark)
            yield f"^FO{_dots(x) + 4 * dots},{_dots(y) + 4 * dots}^BQN,2,{dots}^FDMA,{key}^FS"
        case Watermark():
            return


def _dots(length: float) -> int:
    """Millimetres in dots; a line is never thinner than one."""
    return max(1, round(length / DOT))
