"""House rules of templates: no script in attributes, a known set of htmx attributes, a token in every form that posts."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ALLOWED = {
    "hx-get", "hx-post", "hx-target", "hx-swap", "hx-select", "hx-trigger", "hx-include", "hx-push-url", "hx-disable",
    "hx-sync", "hx-headers:inherited", "hx-preserve", "hx-morph-skip", "hx-partial", "hx-indicator",
}  # fmt: skip
TAG = re.compile(r"<[a-zA-Z][^>]*>", re.DOTALL)
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)


def problems(folder: Path) -> list[str]:
    """What breaks a rule, as `file:line what`."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        if path.parent.name == "mail":
            continue  # mail clients read styles nowhere but in attributes, and letters hold no forms
        text = path.read_text()
        found += [f"{path}:{_line(text, at)} {what}" for at, what in [*_tags(text), *_forms(text), *_data(text)]]
    return found


def _tags(text: str) -> list[tuple[int, str]]:
    wrong = []
    for tag in TAG.finditer(text):
        names = re.findall(r"\s([a-zA-Z][\w:.-]*)\s*=", tag[0])
        for name in names:
            if re.fullmatch(r"on[a-z]+", name) or name == "style" or name.startswith("hx-on"):
                wrong.append((tag.start(), f"script or style in an attribute: {name}"))
            if name.startswith("hx-") and name not in ALLOWED:
                wrong.append((tag.start(), f"htmx attribute not in the house's set: {name}"))
        if re.search(r'hx-trigger="[^"]*\[', tag[0]) or "javascript:" in tag[0]:
            wrong.append((tag.start(), "script in an attribute"))
        if re.search(r"\shx-(get|post)=", tag[0]) and not re.search(r"\sid=", tag[0]):
            wrong.append((tag.start(), "an element that loads needs an id: focus returns to it"))
        if tag[0].startswith("<script") and " src=" not in tag[0]:
            wrong.append((tag.start(), "inline script"))
        if tag[0].startswith("<style"):
            wrong.append((tag.start(), "inline style"))
    return wrong


def _forms(text: str) -> list[tuple[int, str]]:
    return [
        (form.start(), "a form that posts without its token")
        for form in FORM.finditer(text)
        if 'method="post"' in form[0] and "csrf" not in form[0]
    ]


def _data(text: str) -> list[tuple[int, str]]:
    return [(m.start(), "|safe turns off escaping") for m in re.finditer(r"\|\s*safe\b", text)]


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


if __name__ == "__main__":
    wrong = problems(Path("templates"))
    print("\n".join(wrong) or "templates: every rule kept")
    sys.exit(bool(wrong))
