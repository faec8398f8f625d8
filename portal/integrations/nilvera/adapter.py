"""Nilvera plays the DespatchOffice. Our UUID is the document's id, so asking again never makes a second one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from portal.core.errors import UnknownWords
from portal.core.ports import CallAnswer, Outcome
from portal.despatch.ports import DespatchDocument, DespatchFacts, OfficeState, ReceiverAnswer, Verdict
from portal.integrations.nilvera import wire
from portal.integrations.nilvera.client import Heard, NilveraClient

T = TypeVar("T")
NOT_FOUND, EXISTS = 404, 409


class NilveraOffice:
    """Lays drafts down, has them signed and sent, and says what became of them."""

    name = "nilvera"

    def __init__(self, client: NilveraClient) -> None:
        self.client = client

    def create_draft(self, document: DespatchDocument) -> CallAnswer:
        """Lay a draft down; a number series they do not know yet is made known first."""
        heard = self.client.post(wire.CREATE_DRAFT, wire.despatch(document))
        if wire.code_of_refusal(heard.body) == wire.NO_SUCH_SERIES:
            made = self._make_series(document.series)
            if made.outcome is not Outcome.DONE:
                return made
            heard = self.client.post(wire.CREATE_DRAFT, wire.despatch(document))
        return _answer(heard, done_already=EXISTS)

    def confirm(self, document_uuid: uuid.UUID) -> CallAnswer:
        """Sign and send. A draft that is gone may be gone because it was sent: then it is done."""
        heard = self.client.post(wire.CONFIRM, wire.chosen(document_uuid))
        if heard.refused_with(NOT_FOUND):
            sent = self.client.get(wire.STATUS.format(document_uuid))
            if not sent.refused_with(NOT_FOUND):
                return _answer(sent)
        return _answer(heard, done_already=EXISTS)

    def withdraw(self, document_uuid: uuid.UUID) -> CallAnswer:
        """Take a draft away. A draft that is gone because it was sent is not withdrawn."""
        heard = self.client.delete(wire.DRAFT.format(document_uuid))
        if not heard.refused_with(NOT_FOUND):
            return _answer(heard)
        sent = self.client.get(wire.STATUS.format(document_uuid))
        if sent.outcome is Outcome.DONE:
            return CallAnswer(Outcome.REFUSED, why="the document was sent already", code=str(NOT_FOUND))
        return _answer(sent, done_already=NOT_FOUND)

    def facts(self, document_uuid: uuid.UUID) -> DespatchFacts:
        """State, number and the receiver's answer. Silence about any of them is silence."""
        status = self.client.get(wire.STATUS.format(document_uuid))
        if status.refused_with(NOT_FOUND):
            return self._facts_of_draft(document_uuid)
        if status.outcome is not Outcome.DONE:
            return _silent(status)
        state, words, why = _understood(wire.state, status.body)
        details = self.client.get(wire.DETAILS.format(document_uuid))
        if details.outcome is not Outcome.DONE:
            return _silent(details)
        answer = self._receiver_answer(document_uuid, status.body)
        if isinstance(answer, Heard):
            return _silent(answer)
        number = _understood(wire.number, details.body)
        return DespatchFacts(Outcome.DONE, state, number, answer, words, why)

    def _facts_of_draft(self, document_uuid: uuid.UUID) -> DespatchFacts:
        """Not confirmed, as far as they know: a draft, or nothing at all."""
        draft = self.client.get(wire.DRAFT_MODEL.format(document_uuid))
        if draft.outcome is Outcome.DONE:
            return DespatchFacts(Outcome.DONE, OfficeState.DRAFT)
        if draft.refused_with(NOT_FOUND):
            return DespatchFacts(Outcome.DONE, OfficeState.MISSING)
        return _silent(draft)

    def _receiver_answer(self, document_uuid: uuid.UUID, status: dict[str, Any]) -> ReceiverAnswer | Heard | None:
        """The lines are in the receiver's own document. It may come later than the word that he answered."""
        said, note = _understood(wire.verdict, status)
        if said is None:
            return None
        document = self.client.get(wire.ANSWER.format(document_uuid))
        if document.refused_with(NOT_FOUND):
            return None if said is Verdict.PARTIAL else ReceiverAnswer(said, note=note)
        if document.outcome is not Outcome.DONE:
            return document
        return _understood(lambda content: wire.receiver_answer(content, said, note), document.body)

    def _make_series(self, name: str) -> CallAnswer:
        """Make a number series known. The draft was refused, so whatever happens here, nothing was laid down."""
        answer = _answer(self.client.post(wire.SERIES, wire.series(name)), done_already=EXISTS)
        if answer.outcome is Outcome.UNKNOWN:
            return CallAnswer(Outcome.NOT_SENT, why=f"no draft yet, their series is in doubt: {answer.why}")
        return answer


def _answer(heard: Heard, *, done_already: int = 0) -> CallAnswer:
    body = heard.body if isinstance(heard.body, dict) else {}
    if heard.outcome is Outcome.DONE:
        return CallAnswer(Outcome.DONE, wire.number(body))
    if heard.refused_with(done_already):
        return CallAnswer(Outcome.DONE, why=heard.why, code=str(heard.status))
    code = wire.code_of_refusal(body) or (str(heard.status) if heard.status else "")
    return CallAnswer(heard.outcome, why=heard.why, code=code)


def _silent(heard: Heard) -> DespatchFacts:
    return DespatchFacts(heard.outcome, why=heard.why)


def _understood(read: Callable[[Any], T], body: Any) -> T:
    """Their words in ours; what does not read as we know it is kept for a person to look at."""
    try:
        return read(body)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, SyntaxError) as trouble:
        raise UnknownWords("nilvera", {"trouble": repr(trouble), "body": body}) from trouble
