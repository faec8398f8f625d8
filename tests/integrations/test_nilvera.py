"""The adapter against Nilvera's twin: one document per UUID, and silence that never becomes a second one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from flask import Flask
from loguru import logger

from portal.core.errors import UnknownWords
from portal.core.ports import CallAnswer, Outcome
from portal.despatch.ports import AnsweredLine, DespatchDocument, DespatchFacts, OfficeState, Verdict
from portal.integrations.nilvera.adapter import NilveraOffice
from portal.integrations.nilvera.client import NilveraClient
from portal.sandbox.faults import Fault
from portal.sandbox.nilvera import blueprints
from portal.sandbox.nilvera.api import API_KEY
from portal.sandbox.store import Store
from portal.sandbox.world import SandboxSettings, World
from tests.despatch import COMPANY, PERSON, a_document

DONE, REFUSED, UNKNOWN, NOT_SENT = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NOT_SENT


@dataclass
class Twin:
    """Nilvera in small, and our adapter before it."""

    app: Flask
    world: World

    def office(self, key: str = API_KEY) -> NilveraOffice:
        """The adapter, with little patience."""
        transport = httpx.WSGITransport(app=self.app)
        client = NilveraClient(
            base_url="http://twin/nilvera", api_key=key, timeout_seconds=Decimal("0.3"), transport=transport
        )
        return NilveraOffice(client)

    def fails(self, operation: str, mode: str) -> None:
        """The next call of an operation goes wrong."""
        self.world.faults.add(Fault("nilvera", operation, mode, seconds=0.4))

    def knows_series(self) -> None:
        """The company has opened its series by hand."""
        headers = {"Authorization": f"Bearer {API_KEY}"}
        answer = self.app.test_client().post("/nilvera/edespatch/Series", json={"Name": "EMN"}, headers=headers)
        assert answer.status_code == 200

    def effects(self, operation: str) -> dict[str, int]:
        """What was done in the world, and how often."""
        rows = self.world.store.all("effect")
        return {row["key"]: row["count"] for row in rows if row["operation"] == f"nilvera.{operation}"}

    def lever(self, document: DespatchDocument, name: str, **asked: Any) -> int:
        """Decide in the tax office's or the receiver's place."""
        path = f"/_sandbox/nilvera/documents/{document.uuid}/{name}"
        return self.app.test_client().post(path, json=asked).status_code

    def documents(self) -> list[dict[str, Any]]:
        """Everything they have."""
        found: list[dict[str, Any]] = self.app.test_client().get("/_sandbox/nilvera/documents").get_json()
        return found


@pytest.fixture
def twin() -> Twin:
    """A world of its own."""
    app, world = Flask("twin"), World(SandboxSettings("k", "s", "http://x"), Store(None))
    for blueprint in blueprints(world):
        app.register_blueprint(blueprint)
    return Twin(app, world)


@pytest.fixture
def office(twin: Twin) -> NilveraOffice:
    """The adapter."""
    return twin.office()


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What the log hears."""
    lines: list[str] = []
    sink = logger.add(lines.append, level="DEBUG")
    yield lines
    logger.remove(sink)


@pytest.fixture
def sent(office: NilveraOffice) -> DespatchDocument:
    """A note on its way to the tax office."""
    document = a_document()
    assert office.create_draft(document).outcome is office.confirm(document.uuid).outcome is DONE
    return document


def test_a_draft_is_laid_down_once(twin: Twin, office: NilveraOffice) -> None:
    document = a_document(customer=PERSON)
    assert office.create_draft(document) == CallAnswer(DONE, "EMN2026000000001")
    assert office.create_draft(document).outcome is DONE
    assert office.facts(document.uuid) == DespatchFacts(DONE, OfficeState.DRAFT)
    assert twin.effects("draft") == {str(document.uuid): 1}
    assert len(twin.documents()) == 1


def test_they_get_the_whole_note_and_money_as_decimals(twin: Twin, office: NilveraOffice) -> None:
    document = a_document(note="Dikkat\x00 & <kırılır>")
    office.create_draft(document)
    model = twin.documents()[0]["model"]
    assert model["DespatchInfo"]["PayableAmount"] == "32.50"
    assert [line["LineTotal"] for line in model["DespatchLines"]] == ["31.50", "1.00"]
    assert model["DespatchInfo"]["IssueDate"] == "2026-01-15T10:30:00"
    assert model["ShipmentDetail"]["Delivery"]["CarrierInfo"]["TaxNumber"] == "6080712084"
    assert model["Notes"] == ["Dikkat & <kırılır>", "Gönderi: SHP-1"]
    assert model["OrderReference"] == {"ID": "S-2026-1", "IssueDate": "2026-01-14T00:00:00"}


def test_a_missing_series_is_made_and_the_draft_asked_again(twin: Twin, office: NilveraOffice) -> None:
    first, second = a_document(), a_document(number="EMN2026000000002")
    assert office.create_draft(first).outcome is office.create_draft(second).outcome is DONE
    assert twin.effects("series") == {"EMN": 1}
    assert len(twin.documents()) == 2


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("refuse", REFUSED), ("error_500", NOT_SENT), ("timeout_after_effect", NOT_SENT), ("malformed", NOT_SENT)],
)
def test_without_a_series_there_is_certainly_no_draft(
    twin: Twin, office: NilveraOffice, mode: str, outcome: Outcome
) -> None:
    document = a_document()
    twin.fails("series", mode)
    assert office.create_draft(document).outcome is outcome
    assert twin.documents() == []
    assert office.create_draft(document).outcome is DONE
    assert twin.effects("draft") == {str(document.uuid): 1}


MISHAPS = [
    ("slow", UNKNOWN, True), ("timeout_before_effect", UNKNOWN, False), ("timeout_after_effect", UNKNOWN, True),
    ("error_500", UNKNOWN, False), ("error_500_after_effect", UNKNOWN, True), ("malformed", UNKNOWN, True),
    ("refuse", REFUSED, False),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "outcome", "done"), MISHAPS)
def test_a_draft_gone_wrong_is_asked_again_and_stays_one(
    twin: Twin, office: NilveraOffice, mode: str, outcome: Outcome, done: bool
) -> None:
    document = a_document()
    twin.knows_series()
    twin.fails("draft", mode)
    assert office.create_draft(document).outcome is outcome
    assert office.facts(document.uuid).state is (OfficeState.DRAFT if done else OfficeState.MISSING)
    assert office.create_draft(document).outcome is DONE
    assert twin.effects("draft") == {str(document.uuid): 1}
    assert len(twin.documents()) == 1


@pytest.mark.parametrize(("mode", "outcome", "done"), MISHAPS)
def test_a_confirmation_gone_wrong_is_asked_again_and_sends_once(
    twin: Twin, office: NilveraOffice, mode: str, outcome: Outcome, done: bool
) -> None:
    document = a_document()
    office.create_draft(document)
    twin.fails("confirm", mode)
    assert office.confirm(document.uuid).outcome is outcome
    assert office.facts(document.uuid).state is (OfficeState.WAITING if done else OfficeState.DRAFT)
    assert office.confirm(document.uuid).outcome is DONE
    assert twin.effects("confirm") == {str(document.uuid): 1}


@pytest.mark.parametrize("operation", ["status", "details", "answer"])
@pytest.mark.parametrize(("mode", "outcome", "done"), MISHAPS)
def test_facts_are_whole_or_silent(
    twin: Twin, office: NilveraOffice, sent: DespatchDocument, operation: str, mode: str, outcome: Outcome, done: bool
) -> None:
    twin.lever(sent, "answer", verdict="FULL")
    twin.fails(operation, mode)
    silent = office.facts(sent.uuid)
    assert (silent.outcome, silent.number, silent.answer) == (outcome, "", None)
    assert office.facts(sent.uuid).outcome is DONE


def test_a_sent_note_goes_its_way(office: NilveraOffice, sent: DespatchDocument) -> None:
    assert office.confirm(sent.uuid).outcome is DONE
    waiting, arrived = office.facts(sent.uuid), office.facts(sent.uuid)
    assert waiting == DespatchFacts(DONE, OfficeState.WAITING, sent.number, None, "waiting")
    assert (arrived.state, arrived.words, arrived.answer) == (OfficeState.SUCCEEDED, "succeed", None)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("waiting", OfficeState.WAITING), ("sent", OfficeState.SENT), ("succeed", OfficeState.SUCCEEDED),
        ("error", OfficeState.FAILED), ("unknown", OfficeState.WAITING),
    ],
)  # fmt: skip
def test_every_word_of_theirs_has_one_of_ours(
    twin: Twin, office: NilveraOffice, sent: DespatchDocument, code: str, state: OfficeState
) -> None:
    assert twin.lever(sent, "status", code=code) == 200
    for _question in range(3):
        facts = office.facts(sent.uuid)
        assert (facts.outcome, facts.state, facts.words) == (DONE, state, code)
    assert ("reddedildi" in facts.why) is (state is OfficeState.FAILED)


def test_a_full_answer(twin: Twin, office: NilveraOffice, sent: DespatchDocument) -> None:
    assert twin.lever(sent, "answer", verdict="FULL") == 200
    answer = office.facts(sent.uuid).answer
    assert answer
    assert (answer.verdict, answer.lines) == (Verdict.FULL, (AnsweredLine(1, 3, 0), AnsweredLine(2, 4, 0)))
    assert answer.answered_at
    assert answer.answered_at.utcoffset()


def test_a_partial_answer_says_which_lines(twin: Twin, office: NilveraOffice, sent: DespatchDocument) -> None:
    lines = [{"line_no": 1, "accepted": 2, "refused": 1, "why": "ezik & kırık"}]
    assert twin.lever(sent, "answer", verdict="PARTIAL", lines=lines, note="Bir adet geri") == 200
    answer = office.facts(sent.uuid).answer
    assert answer
    assert (answer.verdict, answer.note) == (Verdict.PARTIAL, "Bir adet geri")
    assert answer.lines == (AnsweredLine(1, 2, 1, "ezik & kırık"), AnsweredLine(2, 4, 0))


def test_a_refusal(twin: Twin, office: NilveraOffice, sent: DespatchDocument) -> None:
    assert twin.lever(sent, "answer", verdict="REFUSED", note="Sipariş vermedik") == 200
    answer = office.facts(sent.uuid).answer
    assert answer
    assert (answer.verdict, answer.note) == (Verdict.REFUSED, "Sipariş vermedik")
    assert answer.lines == (AnsweredLine(1, 0, 3), AnsweredLine(2, 0, 4))


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([(1, 3, 0), (2, 4, 0)], Verdict.FULL), ([(1, 0, 3), (2, 0, 4)], Verdict.REFUSED),
        ([(1, 0, 3), (2, 4, 0)], Verdict.PARTIAL),
    ],
)  # fmt: skip
def test_line_by_line_answers_are_added_up(
    twin: Twin, office: NilveraOffice, sent: DespatchDocument, lines: list[tuple[int, int, int]], verdict: Verdict
) -> None:
    told = [{"line_no": no, "accepted": accepted, "refused": refused} for no, accepted, refused in lines]
    twin.lever(sent, "answer", verdict="PARTIAL", lines=told)
    answer = office.facts(sent.uuid).answer
    assert answer
    assert answer.verdict is verdict


def test_a_draft_can_be_withdrawn_and_a_sent_note_cannot(
    twin: Twin, office: NilveraOffice, sent: DespatchDocument
) -> None:
    draft = a_document(number="EMN2026000000002")
    office.create_draft(draft)
    assert office.withdraw(draft.uuid).outcome is office.withdraw(draft.uuid).outcome is DONE
    assert office.facts(draft.uuid).state is OfficeState.MISSING
    assert office.confirm(draft.uuid).outcome is REFUSED
    assert office.create_draft(draft).outcome is DONE
    refused = office.withdraw(sent.uuid)
    assert (refused.outcome, refused.why) == (REFUSED, "Gönderilmiş belge silinemez.")
    assert twin.effects("withdraw") == {str(draft.uuid): 1}


def test_a_withdrawal_that_was_not_heard_is_asked_again(twin: Twin, office: NilveraOffice) -> None:
    draft = a_document()
    office.create_draft(draft)
    twin.fails("withdraw", "timeout_after_effect")
    assert office.withdraw(draft.uuid).outcome is UNKNOWN
    assert office.withdraw(draft.uuid).outcome is DONE
    assert twin.effects("withdraw") == {str(draft.uuid): 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": replace(COMPANY, tax_number="787")}, {"customer": replace(COMPANY, postal_code="99999")},
        {"lines": ()}, {"carrier_tax_number": ""}, {"number": "EMN1"},
    ],
)  # fmt: skip
def test_what_is_missing_is_refused_in_their_words(twin: Twin, office: NilveraOffice, changes: dict[str, Any]) -> None:
    twin.knows_series()
    answer = office.create_draft(a_document(**changes))
    assert answer.outcome is REFUSED
    assert answer.code in ("4000", "3005")
    assert "geçersiz" in answer.why
    assert twin.documents() == []


def test_a_number_is_given_once(office: NilveraOffice) -> None:
    assert office.create_draft(a_document()).outcome is DONE
    again = office.create_draft(a_document())
    assert (again.outcome, again.code) == (REFUSED, "3010")


def test_their_own_numbers_have_no_gaps(twin: Twin, office: NilveraOffice) -> None:
    drafts = [a_document(number="") for _ in range(3)]
    assert [office.create_draft(draft).reference for draft in drafts] == ["", "", ""]
    assert office.withdraw(drafts[1].uuid).outcome is DONE
    for draft in (drafts[2], drafts[0]):
        office.confirm(draft.uuid)
    assert office.facts(drafts[2].uuid).number == "EMN2026000000001"
    assert office.facts(drafts[0].uuid).number == "EMN2026000000002"


def test_a_wrong_key_is_refused_everywhere_and_never_logged(twin: Twin, said: list[str]) -> None:
    stranger, document = twin.office(key="not-the-key"), a_document()
    answers = [stranger.create_draft(document), stranger.confirm(document.uuid), stranger.withdraw(document.uuid)]
    assert [(answer.outcome, answer.code) for answer in answers] == [(REFUSED, "401")] * 3
    assert stranger.facts(document.uuid).outcome is REFUSED
    assert len(said) == 4
    assert not any("not-the-key" in line for line in said)


def test_a_door_that_is_shut_was_certainly_not_passed() -> None:
    nobody = NilveraOffice(NilveraClient(base_url="http://127.0.0.1:9", api_key="k", timeout_seconds=Decimal(1)))
    document = a_document()
    assert nobody.create_draft(document).outcome is NOT_SENT
    assert nobody.confirm(document.uuid).outcome is nobody.withdraw(document.uuid).outcome is NOT_SENT
    assert nobody.facts(document.uuid).outcome is NOT_SENT


# What the twin does not do, but somebody between us, or Nilvera itself, might.


def told(*answers: httpx.Response | Exception) -> NilveraOffice:
    """An office behind a scripted answer per call."""
    script = iter(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        said = next(script)
        if isinstance(said, Exception):
            raise said
        return said

    transport = httpx.MockTransport(answer)
    return NilveraOffice(NilveraClient(base_url="http://x", api_key="k", transport=transport))


OK = {"DespatchStatus": {"Code": "succeed"}}
GONE = httpx.Response(404, json={"Message": "Belge bulunamadı."})


@pytest.mark.parametrize(
    "silence",
    [
        httpx.ReadTimeout("…"), httpx.RemoteProtocolError("…"), httpx.Response(502), httpx.Response(302),
        httpx.Response(200, text="<html>"), httpx.Response(404, text="<html>not here</html>"), httpx.Response(408),
    ],
)  # fmt: skip
def test_what_nobody_of_theirs_said_is_silence(silence: httpx.Response | Exception) -> None:
    some = uuid.uuid4()
    calls: list[Callable[[NilveraOffice], CallAnswer | DespatchFacts]] = [
        lambda office: office.create_draft(a_document()), lambda office: office.confirm(some),
        lambda office: office.withdraw(some), lambda office: office.facts(some),
    ]  # fmt: skip
    assert {call(told(silence)).outcome for call in calls} == {UNKNOWN}


def test_too_many_requests_were_not_heard() -> None:
    assert told(httpx.Response(429)).confirm(uuid.uuid4()).outcome is NOT_SENT


def test_a_draft_that_is_gone_because_it_was_sent() -> None:
    some = uuid.uuid4()
    assert told(GONE, httpx.Response(200, json=OK)).confirm(some).outcome is DONE
    assert told(GONE, httpx.Response(200, json=OK)).withdraw(some).outcome is REFUSED
    assert told(GONE, GONE).confirm(some).outcome is REFUSED
    assert told(GONE, GONE).withdraw(some).outcome is DONE
    assert told(GONE, httpx.ReadTimeout("…")).confirm(some).outcome is UNKNOWN
    assert told(GONE, httpx.ReadTimeout("…")).withdraw(some).outcome is UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "ok", {"DespatchStatus": None}, {"DespatchStatus": {"Code": "şahane"}},
        {**OK, "Answer": "evet"}, {**OK, "Answer": {"AnswerCode": "belki"}},
    ],
)  # fmt: skip
def test_unknown_words_are_kept_for_a_person(body: Any) -> None:
    office = told(httpx.Response(200, json=body), httpx.Response(200, json={"DespatchNumber": "E"}))
    with pytest.raises(UnknownWords):
        office.facts(uuid.uuid4())


RECEIPT = """<?xml version="1.0" encoding="UTF-8"?>
<r xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
   xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:IssueDate>2026-01-20</cbc:IssueDate>
  <cac:ReceiptLine><cbc:ID>1</cbc:ID><cbc:ReceivedQuantity>2.00</cbc:ReceivedQuantity>
    <cbc:ShortQuantity>1</cbc:ShortQuantity></cac:ReceiptLine>
</r>"""


def answered(code: str, document: httpx.Response) -> DespatchFacts:
    """Facts of a note that was answered with a word, and maybe a document."""
    status = httpx.Response(200, json={**OK, "Answer": {"AnswerCode": code}})
    return told(status, httpx.Response(200, json={"DespatchNumber": "E"}), document).facts(uuid.uuid4())


@pytest.mark.parametrize("written", [RECEIPT.encode(), json.dumps(RECEIPT).encode()])
def test_the_receivers_document_comes_bare_or_inside_json_and_short_goods_were_not_accepted(written: bytes) -> None:
    answer = answered("documentAnswered", httpx.Response(200, content=written)).answer
    assert answer
    assert (answer.verdict, answer.lines) == (Verdict.PARTIAL, (AnsweredLine(1, 2, 1, "eksik"),))


def test_seven_days_of_silence_are_acceptance() -> None:
    facts = answered("documentAnsweredAutomatically", GONE)
    assert facts.answer
    assert (facts.answer.verdict, facts.answer.lines) == (Verdict.FULL, ())


def test_an_answer_in_lines_waits_for_its_document() -> None:
    assert answered("documentAnswered", GONE).answer is None


@pytest.mark.parametrize("broken", ["<a/>", "<r", RECEIPT.replace("2.00", "2.5"), RECEIPT.replace("2026-01-20", "")])
def test_a_document_that_does_not_read_is_kept(broken: str) -> None:
    with pytest.raises(UnknownWords):
        answered("documentAnswered", httpx.Response(200, json=broken))
