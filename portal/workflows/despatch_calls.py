"""Calls to the e-despatch office: lay a draft down, sign and send it."""

from __future__ import annotations

import uuid

from flask import current_app
from loguru import logger

from portal.core.actor import SYSTEM
from portal.core.ports import CallAnswer, Outcome, port
from portal.core.unit_of_work import atomic
from portal.despatch import queries as despatch_queries
from portal.despatch import services as notes
from portal.despatch.ports import DespatchOffice, OfficeState
from portal.despatch.services import document_of
from portal.outbox import services as outbox
from portal.outbox.models import ProviderIntent
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.workflows.calls import Found, Operation
from portal.workflows.despatch import facts_of


def _draft(intent: ProviderIntent) -> CallAnswer:
    with atomic():
        document = document_of(despatch_queries.note_with_text(int(intent.request["shipment_id"])))
    return port(DespatchOffice).create_draft(document)


def _is_there(intent: ProviderIntent) -> Found:
    facts = facts_of(uuid.UUID(intent.request["uuid"]))
    if facts.outcome is not Outcome.DONE:
        return Found.NO_ANSWER
    return Found.NOT_DONE if facts.state is OfficeState.MISSING else Found.DONE


def _drafted(intent: ProviderIntent, _reference: str) -> None:
    """Where the seller wants it so, the draft is signed and sent at once."""
    notes.drafted(despatch_queries.note_for_update(int(intent.subject_id)))
    if current_app.config["DESPATCH_SEND"]:
        outbox.intend(
            "send_despatch",
            provider=intent.provider,
            key=f"send-despatch:{intent.request['uuid']}{intent.request.get('suffix', '')}",
            subject=("despatch note", intent.subject_id),
            request=intent.request,
            by=SYSTEM,
        )


def _refused(intent: ProviderIntent, why: str) -> None:
    notes.failed(despatch_queries.note_for_update(int(intent.subject_id)), why)
    shipping.look_at(shipping_queries.parcel_for_update(int(intent.request["shipment_id"])), f"e-irsaliye: {why}")
    logger.error("despatch note {} was refused: {}", intent.request["uuid"], why)


def _send(intent: ProviderIntent) -> CallAnswer:
    return port(DespatchOffice).confirm(uuid.UUID(intent.request["uuid"]))


def _is_sent(intent: ProviderIntent) -> Found:
    facts = facts_of(uuid.UUID(intent.request["uuid"]))
    if facts.outcome is not Outcome.DONE:
        return Found.NO_ANSWER
    return Found.NOT_DONE if facts.state in (OfficeState.MISSING, OfficeState.DRAFT) else Found.DONE


def _sent(intent: ProviderIntent, _reference: str) -> None:
    notes.sent(despatch_queries.note_for_update(int(intent.subject_id)))


OPERATIONS = {
    # Our id is the document's id: the office refuses a second one, so sending again is safe.
    "draft_despatch": Operation(_draft, _is_there, _drafted, _refused, may_be_sent_again=True),
    "send_despatch": Operation(_send, _is_sent, _sent, _refused, may_be_sent_again=True),
}
