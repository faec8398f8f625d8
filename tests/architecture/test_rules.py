"""The house's rules, and that their checks can fail."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from portal.embedded.home import ROOT
from tests.architecture.templates_lint import problems

PLANTED = {
    "on.html": ('<p onclick="x()">', "script or style"),
    "style.html": ('<p style="color:red">', "script or style"),
    "hx.html": ('<p id="a" hx-on:click="x">', "script or style"),
    "boost.html": ('<p hx-boost="true">', "not in the house's set"),
    "filter.html": ('<p id="b" hx-get="/" hx-trigger="click[x]">', "script in an attribute"),
    "token.html": ('<form method="post"><button>x</button></form>', "without its token"),
    "inline.html": ("<script>x()</script>", "inline script"),
    "safe.html": ("{{ x | safe }}", "escaping"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_sin_is_found(tmp_path: Path, name: str) -> None:
    text, complaint = PLANTED[name]
    (tmp_path / name).write_text(text)
    assert any(complaint in problem for problem in problems(tmp_path))


def test_the_vendored_files_are_the_ones_we_looked_at() -> None:
    manifest = json.loads((ROOT / "static/vendor/manifest.json").read_text())
    files = {path.name for path in (ROOT / "static/vendor").glob("*.js")}
    assert files == manifest.keys()
    for name, facts in manifest.items():
        digest = hashlib.sha384((ROOT / "static/vendor" / name).read_bytes()).digest()
        assert base64.b64encode(digest).decode() == facts["sha384"]


def source_files() -> list[Path]:
    """Our own Python."""
    return [*(ROOT / "portal").rglob("*.py"), *(ROOT / "jobs").rglob("*.py")]


def test_nobody_commits_but_the_unit_of_work() -> None:
    sinners = {
        str(path.relative_to(ROOT)) for path in source_files() if re.search(r"session\.commit\(", path.read_text())
    }
    assert sinners == {"portal/core/unit_of_work.py"}


def test_nothing_is_left_unfinished() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    assert [path for path in source_files() if words.search(path.read_text())] == []


def test_no_float_near_money() -> None:
    folders = ("ledger", "escrow", "orders", "workflows", "shipping", "receivables")
    paths = [path for folder in folders for path in (ROOT / "portal" / folder).rglob("*.py")]
    paths.append(ROOT / "portal/core/money.py")
    # A label is measured in millimetres, not in money.
    counted = [path for path in paths if not path.name.startswith("label")]
    assert [path for path in counted if re.search(r"\bfloat\b", path.read_text())] == []


def test_everything_visible_is_translated() -> None:
    """Turkish is the first language: every message the code shows has its translation, none is left fuzzy."""
    with (ROOT / "portal/translations/tr/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="tr")
    keywords = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None, "noted": None}
    methods = [("portal/**.py", "python"), ("jobs/**.py", "python"), ("templates/**.html", "jinja2")]
    shown = {
        found[2][0] if isinstance(found[2], tuple) else found[2]
        for found in extract_from_dir(ROOT, methods, keywords=keywords)
        if found[0].startswith(("portal/", "jobs/", "templates/"))
    }
    missing = {words for words in shown if not (known := catalogue.get(words)) or not known.string or known.fuzzy}
    assert len(shown) > 300
    assert missing == set()
