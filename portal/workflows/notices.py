"""Letters to the house's own people: a letter that did not arrive, errors, and what somebody wrote into a form."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update

from portal.accounts import queries as accounts
from portal.accounts.models import Organisation, Person
from portal.accounts.roles import Role
from portal.core.database import DB_NOW, db
from portal.core.formats import masked
from portal.core.troubles import Trouble
from portal.mail import services as mail
from portal.mail.models import MailMessage

TROUBLES_IN_LETTER = 20


def undelivered(letter: MailMessage) -> None:
    """A report did not reach its reader: finance hears of it, so that nobody believes it was read."""
    if letter.about_kind != "report run":
        return
    for person in accounts.people_with(Role.FINANCE):
        with force_locale(person.language):
            lines = [
                _("To") + f": {letter.recipient}",
                _("Subject") + f": {letter.subject}",
                _("What the mail server said") + f": {letter.last_note}",
            ]
            _write(
                person,
                key=f"undelivered:{letter.id}:{letter.attempts}:{person.id}",
                subject=_("A report did not arrive"),
                lines=lines,
                path=f"/admin/mail/{letter.id}",
                about=("letter", letter.id),
            )


def tell_of_troubles() -> int:
    """New errors, in one letter to each administrator; returns how many errors it tells of."""
    new = list(
        db.session.scalars(
            select(Trouble)
            .where(Trouble.told_at.is_(None))
            .order_by(Trouble.id)
            .limit(1000)
            .with_for_update(skip_locked=True)
        )
    )
    if not new:
        return 0
    for person in accounts.people_with(Role.ADMIN):
        with force_locale(person.language):
            subject = _("%(n)d new errors in the portal", n=len(new))
            about = ("troubles", new[-1].id)
            key = f"troubles:{new[-1].id}:{person.id}"
            _write(person, key=key, subject=subject, lines=_grouped(new), path="/admin/troubles", about=about)
    db.session.execute(update(Trouble).where(Trouble.id.in_([t.id for t in new])).values(told_at=DB_NOW))
    return len(new)


def form_mail(person: Person, *, subject: str, text: str, key: str) -> None:
    """What somebody wrote into the form goes to the house's own mailbox, once per form."""
    house = db.session.scalars(
        select(Organisation).where(Organisation.kind == "PLATFORM").order_by(Organisation.id)
    ).first()
    assert house is not None
    with force_locale("tr"):
        lines = [f"{person.full_name} · {person.email}", "", *text.splitlines()]
        body = {"person": _House, "title": subject, "lines": lines, "url": ""}
        mail.write(
            f"form:{person.id}:{key}",
            to=house.email,
            person_id=None,
            language="tr",
            subject=f"[Emanet] {subject}",
            text=_page("mail/notice.txt", **body),
            html=_page("mail/notice.html", subject=subject, **body),
            about=("form", person.id),
        )


class _House:
    language = "tr"


def _grouped(troubles: list[Trouble]) -> list[str]:
    """Equal ones once, with their number; already masked when they were kept, and once more here."""
    often = Counter(t.fingerprint for t in troubles)
    latest = {t.fingerprint: t for t in troubles}
    shown = [
        f"{n} × {latest[f].module}: {masked(latest[f].message)[:200]}" for f, n in often.most_common(TROUBLES_IN_LETTER)
    ]
    return [*shown, "…"] if len(often) > TROUBLES_IN_LETTER else shown


def _write(
    person: Person, *, key: str, subject: str, lines: list[str], path: str, about: tuple[str, object]
) -> None:  # fmt: skip
    body = {"person": person, "title": subject, "lines": lines, "url": f"{current_app.config['PORTAL_URL']}{path}"}
    mail.write(
        key,
        to=person.email,
        person_id=person.id,
        language=person.language,
        subject=subject,
        text=_page("mail/notice.txt", **body),
        html=_page("mail/notice.html", subject=subject, **body),
        about=about,
    )


def _page(template: str, **context: Any) -> str:
    return current_app.jinja_env.get_template(template).render(**context)
