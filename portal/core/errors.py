"""Answers for people. A Refusal is an expected "no"; everything else is our own mistake and crashes loudly."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l


class Refusal(Exception):
    """Something the rules do not allow, said so that a person knows what to do next.

    `code` is stable for API clients; `status` is the HTTP answer; `details` names the fields or rows concerned.
    """

    status = 409
    code = "refused"

    def __init__(self, message: Any, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadInput(Refusal):
    """What was sent cannot be understood; `fields` says which field and why."""

    status = 422
    code = "bad_input"

    def __init__(self, message: Any = "", fields: dict[str, Any] | None = None) -> None:
        super().__init__(message or _l("Please check the marked fields."), fields=fields or {})
        self.fields: dict[str, Any] = fields or {}


class NotFound(Refusal):
    """It does not exist, or it belongs to somebody else: the same answer, so that nobody learns which."""

    status = 404
    code = "not_found"

    def __init__(self, message: Any = "") -> None:
        super().__init__(message or _l("There is nothing here, or it is not yours to see."))


class NotAllowed(Refusal):
    """Signed in, but this is somebody else's work."""

    status = 403
    code = "not_allowed"

    def __init__(self, message: Any = "") -> None:
        super().__init__(message or _l("Your role may not do this."))


class NotSignedIn(Refusal):
    """Nobody is signed in, or the token is no longer good."""

    status = 401
    code = "not_signed_in"

    def __init__(self, message: Any = "") -> None:
        super().__init__(message or _l("Please sign in."))


class ProviderSilent(Refusal):
    """The other side did not answer; nothing was changed on our side and trying again is safe."""

    status = 503
    code = "provider_silent"


class UnknownWords(Exception):
    """A provider said something we have no word for. Keep its body; somebody has to look."""

    def __init__(self, provider: str, body: object) -> None:
        super().__init__(f"{provider} said something unknown: {str(body)[:500]}")
        self.provider = provider
        self.body = body
