"""The life of a message from a provider."""

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class Message(StrEnum):
    """What became of a message. Nothing is ever deleted: what cannot be applied is set aside with a reason."""

    RECEIVED = "RECEIVED"
    WAITING = "WAITING"  # too early, or the provider was silent: tried again later
    APPLIED = "APPLIED"
    SET_ASIDE = "SET_ASIDE"  # not ours to apply, or words we do not know
    DEAD = "DEAD"  # tried often enough; an operator decides


MESSAGE = StateMachine(
    "inbox message",
    moves={
        Message.RECEIVED: {Message.APPLIED, Message.WAITING, Message.SET_ASIDE, Message.DEAD},
        Message.WAITING: {Message.APPLIED, Message.SET_ASIDE, Message.DEAD},
        Message.APPLIED: {Message.RECEIVED},
        Message.SET_ASIDE: {Message.RECEIVED},
        Message.DEAD: {Message.RECEIVED, Message.SET_ASIDE},
    },
    meanings={
        Message.RECEIVED: Meaning("◷", _l("Received"), "wait"),
        Message.WAITING: Meaning("↻", _l("Waiting for its turn"), "info"),
        Message.APPLIED: Meaning("✓", _l("Applied"), "ok"),
        Message.SET_ASIDE: Meaning("–", _l("Set aside"), "off"),
        Message.DEAD: Meaning("!", _l("Needs a person"), "bad"),
    },
)
