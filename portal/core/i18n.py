"""Turkish first, English second."""

from __future__ import annotations

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, gettext

LANGUAGES = ("tr", "en")


def noted(words: str) -> str:
    """Words that are written down in English (history, journal, notes) and translated when somebody reads them.

    Does nothing but mark them for the catalogue; `told` is its other half.
    """
    return words


def told(words: str) -> str:
    """Words from history in the reader's language; what we did not write ourselves stays as it is.

    Often a sentence of ours stands before a colon, and what somebody else said behind it.
    """
    ours, colon, theirs = words.partition(": ")
    whole = str(gettext(words)) if words else ""
    return f"{gettext(ours)}{colon}{theirs}" if colon and whole == words else whole


babel = Babel()


def init(app: Flask) -> None:
    """Messages are English in the code and Turkish on the screen."""
    app.config.update(
        BABEL_DEFAULT_LOCALE="tr",
        BABEL_DEFAULT_TIMEZONE="Europe/Istanbul",
        BABEL_TRANSLATION_DIRECTORIES="translations",
    )
    babel.init_app(app, locale_selector=language)


def language() -> str:
    """The person's own choice, then the browser's cookie, then its wishes, then Turkish."""
    if not has_request_context():
        return "tr"
    chosen = g.get("language") or request.cookies.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "tr"
