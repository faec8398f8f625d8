"""Letters as operators see them, errors, and the form by which people write to the house."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires, signed_in
from portal.accounts.roles import Permission
from portal.core import audit, formats, troubles
from portal.core.errors import BadInput
from portal.core.limits import limited
from portal.core.unit_of_work import atomic
from portal.core.web import choice, live_page, nonce, paged, region, search_words
from portal.mail import queries
from portal.mail import services as mails
from portal.mail.states import MAIL, Mail
from portal.orders import queries as orders_queries
from portal.workflows import notices

bp = Blueprint("post", __name__)
LINK = re.compile(r"https?://\S+")
LONGEST_TEXT = 5000


@bp.get("/admin/mail")
@requires(Permission.MAIL_SEE)
def mail_list() -> Response | str:
    """Letters, newest first; what was refused, came back or may have come twice is seen at once. Looks again itself."""
    state = choice("state", [state.value for state in Mail])
    return live_page(
        "post/list.html",
        "post/_list.html",
        mails=paged(queries.mails(state=state or None, recipient=search_words())),
        counts=queries.counts(),
        state=state,
        machine=MAIL,
        q=search_words(),
    )


@bp.get("/admin/mail/<int:mail_id>")
@requires(Permission.MAIL_SEE)
def letter(mail_id: int) -> str:
    """One letter: every try, and its text masked."""
    return _letter_page(mail_id)


@bp.post("/admin/mail/<int:mail_id>/text")
@requires(Permission.MAIL_ACT)
def unmasked(mail_id: int) -> str:
    """The text as it was written. Who looked, and why, is written down. Links stay hidden: some sign their reader in."""
    because = _reason()
    with atomic():
        found = queries.mail(mail_id)
        audit.write_down("letter text seen", by=current_actor(), about=("letter", found.id), because=because)
    return _letter_page(mail_id, masked=False)


@bp.post("/admin/mail/<int:mail_id>/again")
@requires(Permission.MAIL_ACT)
def again(mail_id: int) -> Response:
    """A person sends it once more, with the same Message-ID."""
    because = _reason()
    with atomic():
        mails.send_again(queries.mail_for_update(mail_id), by=current_actor(), because=because)
    return region("", page=url_for(".letter", mail_id=mail_id), toast=_("It will be sent again."))


@bp.get("/admin/troubles")
@requires(Permission.LOG_SEE)
def trouble_list() -> str:
    """What went wrong lately, on whichever machine."""
    counts = troubles.counts()
    module = choice("module", list(counts))
    return render_template(
        "post/troubles.html", rows=paged(troubles.recent(module=module, words=search_words())),
        counts=counts, module=module, q=search_words(),
    )  # fmt: skip


@bp.get("/support")
@signed_in
def form() -> str:
    """Write to the house."""
    return render_template("post/form.html", key=nonce())


@bp.post("/support")
@signed_in
@limited("5/minute")
def write() -> Response:
    """What was written goes out by the same post as everything else."""
    subject = request.form.get("subject", "").strip()[:150]
    text = request.form.get("text", "").strip()[:LONGEST_TEXT]
    missing = {
        name: _("Please write something.") for name, words in (("subject", subject), ("text", text)) if not words
    }
    if missing:
        raise BadInput(fields=missing)
    with atomic():
        key = request.form.get("key", "")[:40] or nonce()
        notices.form_mail(current_person(), subject=subject, text=text, key=key)
    return region("", page=url_for(".form"), toast=_("Your message is on its way. We answer by mail."))


def _letter_page(mail_id: int, *, masked: bool = True) -> str:
    found = queries.mail(mail_id)
    text = LINK.sub("https://…", found.text_body)
    return render_template(
        "post/letter.html",
        mail=found,
        machine=MAIL,
        text=formats.masked(text) if masked else text,
        masked=masked,
        enclosure=queries.enclosure_name(found),
        history=orders_queries.history("mail", [mail_id]),
        may_go_again=MAIL.allows(found.state, Mail.WRITTEN) and found.next_attempt_at is None,
    )


def _reason() -> str:
    because = request.form.get("because", "").strip()[:500]
    if not because:
        raise BadInput(fields={"because": _("Say why, so that others understand it later.")})
    return because
