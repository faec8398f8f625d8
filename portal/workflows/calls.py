"""How one kind of call to a provider is made, asked about and noted."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from portal.core.i18n import noted
from portal.core.ports import CallAnswer
from portal.outbox.models import ProviderIntent

# Said before the reason of an answer that contradicts our books.
UNFIT = noted("the books do not take the answer")


class Found(StrEnum):
    """What asking about a call brought to light."""

    DONE = "DONE"
    NOT_DONE = "NOT_DONE"
    NO_ANSWER = "NO_ANSWER"


class Operation(NamedTuple):
    """How one kind of call is made, asked about and noted."""

    call: Callable[[ProviderIntent], CallAnswer]
    ask: Callable[[ProviderIntent], Found]
    done: Callable[[ProviderIntent, str], None]
    refused: Callable[[ProviderIntent, str], None]
    # False where doing it twice costs money: a machine never sends it again, a person decides.
    may_be_sent_again: bool
