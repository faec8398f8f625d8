"""Nilvera's e-despatch endpoints: key first, then mishaps, then the books. And the levers of a test."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, jsonify, request

from portal.sandbox.faults import Fault, hang
from portal.sandbox.nilvera.books import ANSWER_CODES, CODES, Books, Refused
from portal.sandbox.store import Row
from portal.sandbox.world import World

API_KEY = "sandbox-nilvera-key"
WORDS = {
    "error": "Hata",
    "waiting": "Beklemede",
    "sent": "Gönderildi",
    "succeed": "Başarılı",
    "unknown": "Bilinmiyor",
}
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
Act = Callable[[Any, str], Any]


def endpoints(world: World, books: Books) -> Blueprint:
    """Every endpoint of theirs that the portal uses."""
    bp = Blueprint("nilvera", __name__, url_prefix="/nilvera")

    def endpoint(rule: str, operation: str, method: str) -> Callable[[Act], None]:
        def wrap(act: Act) -> None:
            def view(key: str = "") -> Response:
                return _served(world, operation, lambda: act(_asked(), key))

            bp.add_url_rule(rule, endpoint=operation, view_func=view, methods=[method])

        return wrap

    @endpoint("/edespatch/Series", "series", "POST")
    def _series(asked: Any, _key: str) -> Any:
        return books.create_series(asked)

    @endpoint("/edespatch/Draft/Create", "draft", "POST")
    def _draft(asked: Any, _key: str) -> Any:
        row = books.draft(asked)
        return {"UUID": row["uuid"], "DespatchNumber": row["number"]}

    @endpoint("/edespatch/Draft/ConfirmAndSend", "confirm", "POST")
    def _confirm(asked: Any, _key: str) -> Any:
        rows = [books.confirm(str(chosen["UUID"])) for chosen in asked]
        return [{"UUID": row["uuid"], "DespatchNumber": row["number"]} for row in rows]

    @endpoint("/edespatch/Draft/<key>", "withdraw", "DELETE")
    def _withdraw(_asked: Any, key: str) -> Any:
        books.withdraw(key)

    @endpoint("/edespatch/Draft/<key>/model", "model", "GET")
    def _model(_asked: Any, key: str) -> Any:
        return books.find(key, draft=True)["model"]

    @endpoint("/edespatch/Sale/<key>/Status", "status", "GET")
    def _status(_asked: Any, key: str) -> Any:
        return status(books.status(key))

    @endpoint("/edespatch/Sale/<key>/Details", "details", "GET")
    def _details(_asked: Any, key: str) -> Any:
        row = books.find(key, draft=False)
        return {"UUID": row["uuid"], "DespatchNumber": row["number"], "DespatchType": "SEVK"}

    @endpoint("/edespatch/Sale/Answer/<key>/xml", "answer", "GET")
    def _answer(_asked: Any, key: str) -> Any:
        row = books.find(key, draft=False)
        if not row["answer"]:
            raise Refused(404, (1004, "Yanıt bulunamadı."))
        return receipt(row)

    return bp


def levers(books: Books) -> Blueprint:
    """What a test, or a person, decides in the tax office's and the receiver's place."""
    bp = Blueprint("nilvera_levers", __name__, url_prefix="/_sandbox/nilvera")

    @bp.get("/documents")
    def _documents() -> Response:
        return jsonify(books.documents())

    @bp.post("/documents/<key>/status")
    def _set_status(key: str) -> Response:
        code = str((request.get_json(silent=True) or {}).get("code"))
        if code not in CODES:
            return _json({"error": "unknown code", "codes": CODES}, 422)
        return _done(lambda: books.set_status(key, code))

    @bp.post("/documents/<key>/answer")
    def _set_answer(key: str) -> Response:
        asked = request.get_json(silent=True) or {}
        if asked.get("verdict") not in ANSWER_CODES:
            return _json({"error": "unknown verdict", "verdicts": list(ANSWER_CODES)}, 422)
        return _done(lambda: books.answer(key, asked))

    return bp


def status(row: Row) -> dict[str, Any]:
    """How far a document is, and in one word what the receiver said."""
    why = "GİB tarafından reddedildi" if row["code"] == "error" else ""
    answer = row["answer"] or {"code": "waitingForApproval", "note": ""}
    return {
        "DespatchStatus": {"Code": row["code"], "Description": WORDS[row["code"]], "DetailDescription": why},
        "Answer": {"AnswerCode": answer["code"], "AnswerNote": answer["note"]},
    }


def receipt(row: Row) -> str:
    """The receiver's document, as far as anybody reads it."""
    answer = row["answer"]
    root = ET.Element(f"{{{UBL}ReceiptAdvice-2}}ReceiptAdvice")
    day, _, time = answer["at"].partition("T")
    _tell(root, IssueDate=day, IssueTime=time, ReceiptAdviceTypeCode="SEVK", Note=answer["note"])
    for line in answer["lines"]:
        told = ET.SubElement(root, f"{{{UBL}CommonAggregateComponents-2}}ReceiptLine")
        _tell(told, ID=line["line_no"], ReceivedQuantity=line.get("accepted", 0))
        _tell(told, RejectedQuantity=line.get("refused", 0), RejectReason=line.get("why", ""))
        reference = ET.SubElement(told, f"{{{UBL}CommonAggregateComponents-2}}DespatchLineReference")
        _tell(reference, LineID=line["line_no"])
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _tell(parent: ET.Element, **fields: Any) -> None:
    for field, value in fields.items():
        if value != "":
            ET.SubElement(parent, f"{{{UBL}CommonBasicComponents-2}}{field}").text = str(value)


def _asked() -> Any:
    raw = request.get_data()
    return json.loads(raw, parse_float=str) if raw else None


def _served(world: World, operation: str, act: Callable[[], Any]) -> Response:
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {API_KEY}".encode()):
        return _json({"Message": "Yetkisiz erişim."}, 401)
    fault = world.faults.take("nilvera", operation)
    return _with_mishap(fault, act) if fault else _done(act)


def _done(act: Callable[[], Any]) -> Response:
    try:
        answer = act()
    except Refused as no:
        return _refusal(no)
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as missing:
        # The company left something out or wrote no number: theirs says which field, so do we.
        return _refusal(Refused(422, (4000, f"alan eksik ya da geçersiz: {missing!r}")))
    return Response(status=204) if answer is None else _json(answer)


def _refusal(no: Refused) -> Response:
    errors = [{"Code": code, "Description": words, "Detail": ""} for code, words in no.errors]
    return _json({"Message": "İşlem başarısız.", "Errors": errors}, no.status)


def _with_mishap(fault: Fault, act: Callable[[], Any]) -> Response:
    """Before or after the effect: that is the whole difference, and the caller cannot see it."""
    match fault.mode:
        case "refuse":
            return _refusal(Refused(422, (9999, "Sandbox böyle istedi")))
        case "error_500":
            return Response("oops", status=500)
        case "timeout_before_effect":
            hang(fault.seconds)
            return Response(status=504)
    answer = _done(act)
    match fault.mode:
        case "slow" | "timeout_after_effect":
            hang(fault.seconds)
        case "error_500_after_effect":
            return Response("oops", status=500)
        case "malformed":
            return Response(b'{"UUID": "', mimetype="application/json")
    return answer


def _json(body: Any, code: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status=code, mimetype="application/json")
