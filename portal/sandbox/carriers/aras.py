"""Aras Kargo, played: an order service, and another one that only knows what a branch has invoiced."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

from flask import Blueprint, Response, request

from portal.sandbox.carriers.books import Books, strange, wall_clock
from portal.sandbox.carriers.mishaps import served
from portal.sandbox.carriers.soap import answered, element, fault, field, fields, name_of, opened
from portal.sandbox.carriers.who import ARAS_CUSTOMER_CODE, ARAS_PASSWORD, ARAS_USER
from portal.sandbox.store import Row
from portal.sandbox.world import World

NAMESPACE = "http://tempuri.org/"
# DURUM KODU and its words, by what happened last. What has no code of its own is told by a movement.
SAYS = {
    "picked_up": ("1", "ÇIKIŞ ŞUBESİNDE"),
    "in_transit": ("2", "YOLDA"),
    "out_for_delivery": ("4", "TESLİMATTA"),
    "delivered": ("6", "TESLİM EDİLDİ"),
    "returned": ("6", "TESLİM EDİLDİ"),  # to the sender: TİP KODU says so
    "attempt_failed": ("3", "TESLİMAT ŞUBESİNDE"),
    "lost": ("2", "YOLDA"),
    "cancelled": ("2", "YOLDA"),
}
MOVEMENT = {"attempt_failed": "TESLİM EDİLEMEDİ", "lost": "KARGO KAYIP", "returned": "İADE EDİLDİ"}
NO_ENTRY = "Kullanıcı adı veya şifre hatalı"
FIELD_ERRORS = {
    "IntegrationCode": "937", "ReceiverAddress": "938", "ReceiverName": "939", "ReceiverCityName": "940",
    "ReceiverTownName": "941",
}  # fmt: skip


def endpoints(world: World, books: Books) -> Blueprint:
    """Both services."""
    bp = Blueprint("carrier_aras", __name__, url_prefix="/aras")

    @bp.post("/arascargoservice.asmx")
    def _orders() -> Response:
        operation = opened(request.get_data())
        if operation is None or name_of(operation) not in ("SetOrder", "CancelDispatch"):
            return fault("Server did not recognize the value of HTTP Header SOAPAction")
        name = name_of(operation)
        ordering = name == "SetOrder"
        if (field(operation, "userName"), field(operation, "password")) != (ARAS_USER, ARAS_PASSWORD):
            return _result(name, "1000" if ordering else "-2", NO_ENTRY)
        return served(
            world,
            "aras",
            "create" if ordering else "cancel",
            act=partial(_set_order if ordering else _cancel, books, operation),
            refuse=partial(_result, name, "70020" if ordering else "999", "Sandbox böyle istedi"),
        )

    @bp.post("/ArasCargoIntegrationService.svc")
    def _queries() -> Response:
        operation = opened(request.get_data())
        if operation is None or name_of(operation) != "GetQueryJSON":
            return fault("ActionNotSupported")
        login = fields(opened_text(field(operation, "loginInfo")))
        if (login.get("UserName"), login.get("Password")) != (ARAS_USER, ARAS_PASSWORD):
            return _queried(NO_ENTRY)
        if login.get("CustomerCode") != ARAS_CUSTOMER_CODE:
            return _queried("Müşteri kodu veya şifre hatalı")
        asked = fields(opened_text(field(operation, "queryInfo")))
        refuse = partial(_queried, f"Sandbox böyle istedi: {NO_ENTRY}")
        return served(world, "aras", "track", act=partial(_answer, books, asked), refuse=refuse)

    return bp


def opened_text(written: str) -> Element | None:
    """XML that came as text in a field: it travels in an envelope of its own to be read the same way."""
    envelope = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
    return opened(envelope.format(written).encode("utf-8", "replace"))


def _set_order(books: Books, operation: Element) -> Response:
    found = operation.find(f"{{{NAMESPACE}}}orderInfo/{{{NAMESPACE}}}Order")
    order, key = fields(found), fields(found).get("IntegrationCode", "")
    for name, code in FIELD_ERRORS.items():
        if not order.get(name):
            return _result("SetOrder", code, f"{name} eksik")
    if not order.get("ReceiverPhone1", "").isdigit():
        return _result("SetOrder", "935", "Telefon numarası yalnız rakamlardan oluşmalıdır")
    barcodes = [] if found is None else [piece.text for piece in found.iterfind(".//{*}BarcodeNumber")]
    if order.get("PieceCount") != str(len(barcodes)):
        return _result("SetOrder", "70020", "Parça sayısı uyuşmuyor")
    if not all(barcodes):
        return _result("SetOrder", "70022", "Parça barkodu eksik")
    if not books.announce("aras", key, {**order, "town": order["ReceiverTownName"]}):
        return _result("SetOrder", "60020", "Gönderi daha önce kaydedilmiş")
    return _result("SetOrder", "0", "Başarılı", key)


def _cancel(books: Books, operation: Element) -> Response:
    code, words = {
        "done": ("1", "Sipariş silindi"),
        "again": ("-1", "Kayıt bulunamadı"),
        "unknown": ("-1", "Kayıt bulunamadı"),
        "on its way": ("999", "İrsaliyesi kesilmiş sipariş iptal edilemez"),
    }[books.cancel("aras", field(operation, "integrationCode"))]
    return _result("CancelDispatch", code, words)


def _result(operation: str, code: str, words: str, key: str = "") -> Response:
    info = [_theirs("ResultCode", code), _theirs("ResultMessage", words)]
    if operation == "SetOrder":
        info = [_theirs("OrderResultInfo", [*info, _theirs("InvoiceKey", key)])]
    return answered(_theirs(f"{operation}Response", [_theirs(f"{operation}Result", info)]))


def _answer(books: Books, asked: dict[str, str]) -> Response:
    parcel = books.parcel("aras", asked.get("IntegrationCode", ""))
    if parcel is None or not parcel["tracking_number"]:
        return _queried(json.dumps({"QueryResult": None}))
    match asked.get("QueryType"):
        case "1":
            found: dict[str, Any] = {"Cargo": _parcel(parcel)}
        case "9":
            found = {"CargoTransaction": [_movement(scan) for scan in parcel["scans"]]}
        case _:
            return _queried("Sorgu tipi geçersiz")
    return _queried(json.dumps({"QueryResult": found}, ensure_ascii=False))


def _parcel(parcel: Row) -> dict[str, str]:
    happened = {scan["event"]: scan for scan in parcel["scans"]}
    last = parcel["scans"][-1]["event"]
    code, words = strange(last) if last.startswith("unknown:") else SAYS[last]
    given = happened.get("delivered") or happened.get("returned")
    return {
        "MÜŞTERİ ÖZEL KODU": parcel["key"],
        "KARGO TAKİP NO": parcel["tracking_number"],
        "ALICI": parcel["asked"].get("ReceiverName", ""),
        "ÇIKIŞ ŞUBE": happened["picked_up"]["place"],
        "ÇIKIŞ TARİH": f"{wall_clock(happened['picked_up']['at']):%d.%m.%Y %H:%M:%S}",
        "DURUM KODU": code,
        "DURUMU": words,
        "TİP KODU": "3" if "returned" in happened else "1",
        "TESLİM TARİHİ": f"{wall_clock(given['at']):%d.%m.%Y}" if given else "",
        "TESLİM SAATİ": f"{wall_clock(given['at']):%H:%M:%S}" if given else "",
    }


def _movement(scan: Row) -> dict[str, str]:
    event = scan["event"]
    words = MOVEMENT.get(event) or (strange(event)[1] if event.startswith("unknown:") else SAYS[event][1])
    at = f"{wall_clock(scan['at']):%d.%m.%Y %H:%M:%S}"
    return {"İŞLEM TARİHİ": at, "BİRİM": scan["place"], "İŞLEM": words, "AÇIKLAMA": ""}


def _queried(written: str) -> Response:
    return answered(_theirs("GetQueryJSONResponse", [_theirs("GetQueryJSONResult", written)]))


def _theirs(name: str, content: str | list[Element] = "") -> Element:
    return element(f"{{{NAMESPACE}}}{name}", content)
