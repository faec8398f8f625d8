"""Screens that look again by themselves: nothing is sent when nothing changed, and a look costs little."""

from __future__ import annotations

import html

import pytest
from flask import Flask
from sqlalchemy import event

from portal.core.database import db
from tests import story
from tests.cast import Cast, sign_in
from tests.world import SandboxControl

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize("page", ["/admin/inbox?state=APPLIED", "/admin/outbox"])
def test_a_list_is_sent_again_only_when_it_changed(app: Flask, cast: Cast, sandbox: SandboxControl, page: str) -> None:
    story.paid(app, cast, sandbox)
    gul = sign_in(app, cast.gul)
    text = gul.get(page)[1]
    again = html.unescape(text.split('hx-get="')[1].split('"')[0])
    assert "tag=" in again and page.split("?", maxsplit=1)[0] in again
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    unchanged = gul.client.get(again, headers=HTMX)
    assert (unchanged.status_code, unchanged.data) == (204, b"")
    assert 1 < len(asked) <= 9, asked
    story.confirmed(story.paid(app, cast, sandbox)[0], cast)
    changed = gul.client.get(again, headers=HTMX)
    assert changed.status_code == 200 and "<html" not in changed.text
    newer = html.unescape(changed.text.split('hx-get="')[1].split('"')[0])
    assert newer != again and gul.client.get(newer, headers=HTMX).status_code == 204
