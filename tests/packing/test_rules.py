"""What a scan means, as tables; and that the screen's script decides the same."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import uuid

import pytest

from portal.embedded.home import ROOT
from portal.packing import rules
from portal.packing.pictures import modules
from portal.packing.rules import Counted, Decision, Row
from portal.packing.states import VERDICT_WORDS, Verdict

EAN, UPC, CASE, OTHER = "8690000000035", "036000291452", "18690000000035", "8690000000999"


def rows(packed: int = 0, wanted: int = 3) -> list[Row]:
    """Tape in cases of two, and something with letters."""
    return [Row(1, EAN, wanted, packed, {CASE: 2}), Row(2, "Ab-12", 1, 0)]


@pytest.mark.parametrize(
    ("arrived", "meant"),
    [
        (EAN, EAN), (f" {EAN}\t", EAN), (f"]E0{EAN}", EAN), (f"]C1{CASE}", CASE), ("ab-12", "AB-12"),
        (UPC, f"0{UPC}"), (f"0{UPC}", f"0{UPC}"), ("ışık", "ışıK"), ("]", "]"), ("", ""), ("]x", "]X"),
    ],
)  # fmt: skip
def test_what_a_scanner_adds_is_taken_away(arrived: str, meant: str) -> None:
    assert rules.plain(arrived) == meant


@pytest.mark.parametrize(
    ("packed", "barcode", "said"),
    [
        (0, EAN, Decision(Verdict.OK, 1, 1)),
        (2, EAN, Decision(Verdict.OK, 1, 1)),
        (3, EAN, Decision(Verdict.TOO_MANY)),
        (0, CASE, Decision(Verdict.CASE, 1, 2)),
        (1, CASE, Decision(Verdict.CASE, 1, 2)),
        (2, CASE, Decision(Verdict.TOO_MANY)),  # half a case is no case
        (0, "AB-12", Decision(Verdict.OK, 2, 1)),
        (0, OTHER, Decision(Verdict.WRONG_ITEM)),
        (0, "869", Decision(Verdict.UNKNOWN)),
        (0, "' OR 1=1 --", Decision(Verdict.UNKNOWN)),
    ],
)
def test_every_verdict(packed: int, barcode: str, said: Decision) -> None:
    assert rules.decide(rows(packed), barcode, known={OTHER}) == said


def test_two_lines_with_one_barcode_are_filled_one_after_the_other() -> None:
    twice = [Row(1, EAN, 1, 0), Row(2, EAN, 2, 0)]
    seen = []
    for _ in range(4):
        decision = rules.decide(twice, EAN)
        rules.count(twice, decision)
        seen.append((decision.verdict.value, decision.line_id))
    assert seen == [("OK", 1), ("OK", 2), ("OK", 2), ("TOO_MANY", None)]
    assert rules.complete(twice)


def test_the_last_one_that_counts_is_taken_back() -> None:
    one, two = (Counted(uuid.uuid4(), 1, uuid.uuid4(), pieces) for pieces in (1, 12))
    assert rules.undo([one, two]) == (Decision(Verdict.UNDONE, 1, -12), two)
    assert rules.undo([]) == (Decision(Verdict.NOTHING_TO_UNDO), None)


def test_every_verdict_has_words_and_commands_are_no_goods() -> None:
    assert set(VERDICT_WORDS) == set(Verdict)
    for code, command in rules.COMMANDS.items():
        assert re.fullmatch("[A-Z0-9]+", code), "these survive every keyboard layout"
        assert rules.command(code.lower()) == command
    assert rules.command(EAN) is None


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine: the script's twin was not compared")
def test_the_screens_script_decides_like_the_portal() -> None:
    script = (ROOT / "static/js/packing-rules.js").read_text()
    twin = script[script.index("function plain(") : script.index("const waitingFor")]
    codes = [EAN, f"]E0{EAN}", CASE, OTHER, "ab-12", "AB-12", UPC, f"0{UPC}", "ışık", " x ", "]", "869", "12345678901Z"]
    cases = [(packed, code) for packed in range(4) for code in codes]
    table = [[vars(row) for row in rows(packed)] for packed, _code in cases]
    asked = f"""
      let lines;
      const room = (line) => line.wanted - line.packed;
      {twin}
      const said = {json.dumps(list(zip(table, [code for _p, code in cases], strict=True)))}.map(([rows, code]) => {{
        lines = new Map(rows.map((row) => [row.id, row]));
        const {{ verdict, line, pieces }} = decide(plain(code));
        return [plain(code), verdict, pieces ? line : null, pieces];
      }});
      console.log(JSON.stringify(said));"""
    done = subprocess.run(["node", "-e", asked], capture_output=True, text=True, check=True, timeout=60)
    ours = []
    for packed, code in cases:
        decision = rules.decide(rows(packed), code, known={OTHER, rules.plain(code)})
        ours.append([rules.plain(code), decision.verdict.value, decision.line_id, decision.pieces])
    assert json.loads(done.stdout) == ours


def test_a_barcode_picture_is_read_by_a_scanner() -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    from PIL import Image, ImageDraw

    for code in (*rules.COMMANDS, "TURKCEQ-1I", "EMTEST0123456789"):
        *bars, (width, _end) = modules(code)
        image = Image.new("L", (width * 3, 120), 255)
        for at, wide in bars:
            ImageDraw.Draw(image).rectangle((at * 3, 10, (at + wide) * 3 - 1, 110), fill=0)
        assert [found.text for found in zxingcpp.read_barcodes(image)] == [code]
