"""Sessions are rows: a browser holds a random secret, we hold its hash, and deleting the row signs it out."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from loguru import logger
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import CallbackDict

from portal.accounts.models import WebSession
from portal.core.database import DB_NOW, db

IDLE = timedelta(hours=8)
ABSOLUTE = timedelta(hours=24)
# Writing "seen" at every request would make reading a page a write.
SEEN_EVERY = timedelta(minutes=1)


class RowSession(CallbackDict[str, Any], SessionMixin):
    """What a view puts into `session`; stored only when something was put there."""

    def __init__(self, data: dict[str, Any] | None = None, secret: str | None = None) -> None:
        def touched(_: object) -> None:
            self.modified = True

        super().__init__(data or {}, touched)
        self.secret = secret
        self.modified = False
        self.old_secret: str | None = None
        self.away: OperationalError | None = None  # the database did not answer when we asked who this is

    def renew(self) -> None:
        """A new secret for the same content: at sign-in, so that a planted one is worth nothing."""
        self.old_secret = self.old_secret or self.secret
        self.secret = None
        self.modified = True


def digest(secret: str) -> str:
    """What we keep of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class RowSessions(SessionInterface):
    """Flask's sessions in PostgreSQL, on short connections of their own."""

    session_class = RowSession

    def open_session(self, app: Flask, request: Request) -> RowSession:
        """The session the cookie names, while it lives; otherwise an empty one that is not stored yet."""
        secret = request.cookies.get(app.config["SESSION_COOKIE_NAME"])
        if not secret or len(secret) > 100:
            return RowSession()
        alive = WebSession.expires_at > DB_NOW, WebSession.last_seen_at > DB_NOW - IDLE
        found = select(WebSession.data, func.clock_timestamp() - WebSession.last_seen_at).where(
            WebSession.token_hash == digest(secret), *alive
        )
        try:
            with db.engine.begin() as connection:
                row = connection.execute(found).one_or_none()
                if row is None:
                    return RowSession()
                if row[1] > SEEN_EVERY:
                    seen = update(WebSession).where(WebSession.token_hash == digest(secret)).values(last_seen_at=DB_NOW)
                    connection.execute(seen)
        except OperationalError as away:
            # Raised by the first before_request, where there is an answer for it: nobody is signed out by a busy database.
            unknown = RowSession()
            unknown.away = away
            return unknown
        return RowSession(row[0], secret)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what changed; drop the row of a renewed or emptied session."""
        assert isinstance(session, RowSession)
        if not session.modified or session.away:
            return
        try:
            self._save(app, session, response)
        except OperationalError:
            logger.warning("a session could not be kept: the database is away")

    def _save(self, app: Flask, session: RowSession, response: Response) -> None:
        name, path = app.config["SESSION_COOKIE_NAME"], "/"
        response.vary.add("Cookie")
        if not session:
            self._forget(session.secret, session.old_secret)
            response.delete_cookie(name, path=path, secure=app.config["SESSION_COOKIE_SECURE"], httponly=True)
            return
        secret = session.secret or secrets.token_urlsafe(32)
        self._forget(session.old_secret)
        self._write(secret, dict(session))
        response.set_cookie(
            name,
            secret,
            path=path,
            httponly=True,
            secure=app.config["SESSION_COOKIE_SECURE"],
            samesite="Lax",
        )

    def _write(self, secret: str, data: dict[str, Any]) -> None:
        person = data.get("_user_id")
        values = {"data": data, "person_id": int(person) if person else None}
        row = insert(WebSession).values(token_hash=digest(secret), expires_at=DB_NOW + ABSOLUTE, **values)
        with db.engine.begin() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=[WebSession.token_hash], set_=values))

    def _forget(self, *secrets_: str | None) -> None:
        hashes = [digest(secret) for secret in secrets_ if secret]
        if hashes:
            with db.engine.begin() as connection:
                connection.execute(delete(WebSession).where(WebSession.token_hash.in_(hashes)))
