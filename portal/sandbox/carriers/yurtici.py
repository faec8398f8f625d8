"""Yurtiçi Kargo, played: one address, three operations, HTTP 200 whatever happens."""

from __future__ import annotations

from functools import partial
from xml.etree.ElementTree import Element

from flask import Blueprint, Response, request

from portal.sandbox.carriers.books import Books, strange, wall_clock
from portal.sandbox.carriers.mishaps import served
from portal.sandbox.carriers.soap import answered, element, elements, fault, field, fields, name_of, opened
from portal.sandbox.carriers.who import YURTICI_PASSWORD, YURTICI_USER
from portal.sandbox.store import Row
from portal.sandbox.world import World

NAMESPACE = "http://yurticikargo.com.tr/ShippingOrderDispatcherServices"
OPERATIONS = {"createShipment": "create", "queryShipment": "track", "cancelShipment": "cancel"}
RESULT = {
    "createShipment": ("ShippingOrderResultVO", "shippingOrderDetailVO"),
    "cancelShipment": ("ShippingOrderResultVO", "shippingCancelDetailVO"),
    "queryShipment": ("ShippingDeliveryVO", "shippingDeliveryDetailVO"),
}
NOT_SEEN = ("NOP", "0", "Kargo işlem görmemiş.")
# Status, its number, and their words, by what happened last. A lost parcel simply stays in transit; its
# movement has the reason.
SAYS = {
    "picked_up": ("ISR", "2", "Kargo şubeye kabul edildi."),
    "in_transit": ("ISR", "2", "Kargo yolda."),
    "out_for_delivery": ("IND", "1", "Kargo dağıtıma çıktı."),
    "delivered": ("DLV", "5", "Kargo teslim edilmiştir."),
    "returned": ("ISR", "2", "Kargo göndericiye iade edildi."),
    "attempt_failed": ("ISR", "2", "Kargo varış şubesinde."),
    "lost": ("ISR", "2", "Kargo araştırılıyor."),
    "cancelled": ("CNL", "3", "Kargo iptal edildi."),
}
REASON = {"attempt_failed": ("12", "ALICI ADRESTE YOK"), "lost": ("31", "KARGO KAYIP")}


def endpoints(world: World, books: Books) -> Blueprint:
    """Their one service."""
    bp = Blueprint("carrier_yurtici", __name__, url_prefix="/yurtici")

    @bp.post("/ShippingOrderDispatcherServices")
    def _service() -> Response:
        operation = opened(request.get_data())
        if operation is None or name_of(operation) not in OPERATIONS:
            return fault("Cannot find dispatch method")
        name = name_of(operation)
        language = "wsLanguage" if name == "queryShipment" else "userLanguage"
        if (field(operation, "wsUserName"), field(operation, "wsPassword")) != (YURTICI_USER, YURTICI_PASSWORD):
            return _said(name, "1", "Kullanıcı adı veya şifre hatalı", {"errCode": "1625"})
        if field(operation, language) != "TR":
            return _said(name, "1", "Dil bilgisi hatalı", {"errCode": "1626"})
        act = {"createShipment": _create, "queryShipment": _query, "cancelShipment": _cancel}[name]
        return served(
            world,
            "yurtici",
            OPERATIONS[name],
            act=partial(act, books, operation),
            refuse=partial(_said, name, "1", "Sandbox böyle istedi", {"errCode": "82500"}),
        )

    return bp


def _create(books: Books, operation: Element) -> Response:
    name = "createShipment"
    order = fields(operation.find("ShippingOrderVO"))
    key = order.get("cargoKey", "")
    about = {"cargoKey": key, "invoiceKey": order.get("invoiceKey", "")}
    if wrong := _wrong(order):
        return _said(name, "1", "Gönderi oluşturulamadı", {**about, "errCode": "82500", "errMessage": wrong})
    if not books.announce("yurtici", key, {**order, "town": order["townName"]}):
        words = f"{key} numaralı kargo anahtarı sistemde mevcuttur."
        return _said(name, "1", "Hata", {**about, "errCode": "60020", "errMessage": words})
    job = str(books.store.serial("yurtici.job", 17_000_000))
    return _said(name, "0", "Başarılı", {**about, "errCode": "0"}, beside={"jobId": job})


def _wrong(order: dict[str, str]) -> str:
    """Which field is not as they want it."""
    phone = order.get("receiverPhone1", "")
    rules = {
        "cargoKey": 0 < len(order.get("cargoKey", "")) <= 20,
        "invoiceKey": 0 < len(order.get("invoiceKey", "")) <= 20,
        "receiverCustName": 5 <= len(order.get("receiverCustName", "")) <= 200,
        "receiverAddress": len(order.get("receiverAddress", "")) >= 5,
        "receiverPhone1": len(phone) == 10 and phone.isdigit(),
        "cityName": bool(order.get("cityName")),
        "townName": bool(order.get("townName")),
    }
    return ", ".join(f"{name} alanı hatalı" for name, right in rules.items() if not right)


def _cancel(books: Books, operation: Element) -> Response:
    name, key = "cancelShipment", field(operation, "cargoKeys")
    about = {"cargoKey": key}
    match books.cancel("yurtici", key):
        case "unknown":
            return _said(name, "1", "Hata", {**about, "errCode": "82519", "errMessage": "İptal edilecek kayıt yok."})
        case "again":
            return _said(
                name, "1", "Hata", {**about, "errCode": "82520", "errMessage": "Kargo daha önce iptal edilmiş."}
            )
        case _:
            parcel = books.parcel("yurtici", key)
            assert parcel
            return _said(name, "0", "Başarılı", {**about, **_status(parcel), "errCode": "0"})


def _query(books: Books, operation: Element) -> Response:
    name, key = "queryShipment", field(operation, "keys")
    parcel = books.parcel("yurtici", key) if field(operation, "keyType") == "0" else None
    if parcel is None:
        row = {"cargoKey": key, "errCode": "80859", "errMessage": "Kargo anahtarı bulunamadı."}
        return _said(name, "1", "Hata", row)
    row = {"cargoKey": key, "invoiceKey": key, **_status(parcel), "errCode": "0"}
    return _said(name, "0", "Başarılı", row, inside=_item(parcel, field(operation, "addHistoricalData") == "true"))


def _status(parcel: Row) -> dict[str, str]:
    last = parcel["scans"][-1]["event"] if parcel["scans"] else ""
    letters, code, words = SAYS["cancelled"] if parcel["cancelled"] else SAYS.get(last, NOT_SEEN)
    if last.startswith("unknown:"):
        (letters, words), code = strange(last), ""
    return {"operationCode": code, "operationMessage": words, "operationStatus": letters}


def _item(parcel: Row, with_movements: bool) -> list[Element]:
    """What a branch knows; nothing before one has taken it in."""
    if not parcel["tracking_number"]:
        return []
    happened = {scan["event"]: scan for scan in parcel["scans"]}
    taken, given = happened["picked_up"], happened.get("delivered")
    item = {
        "docId": parcel["tracking_number"],
        "documentDate": f"{wall_clock(taken['at']):%Y%m%d}",
        "documentTime": f"{wall_clock(taken['at']):%H%M%S}",
        "departureUnitName": taken["place"],
        "receiverCustName": parcel["asked"].get("receiverCustName", ""),
        "deliveryDate": f"{wall_clock(given['at']):%Y%m%d}" if given else "",
        "deliveryTime": f"{wall_clock(given['at']):%H%M%S}" if given else "",
        "returnStatus": "2" if "returned" in happened else "0",
        "rejectStatus": "0",
    }
    moved = [_movement(scan) for scan in parcel["scans"]] if with_movements else []
    return [element("shippingDeliveryItemDetailVO", [*elements(item), *moved])]


def _movement(scan: Row) -> Element:
    reason_id, reason = REASON.get(scan["event"], ("", ""))
    at = wall_clock(scan["at"])
    values = {
        "unitName": scan["place"],
        "eventName": SAYS.get(scan["event"], NOT_SEEN)[2],
        "reasonId": reason_id,
        "reasonName": reason,
        "eventDate": f"{at:%Y%m%d}",
        "eventTime": f"{at:%H%M%S}",
    }
    return element("invDocCargoVOArray", elements(values))


def _said(
    operation: str,
    flag: str,
    words: str,
    row: dict[str, str],
    *,
    beside: dict[str, str] | None = None,
    inside: list[Element] | None = None,
) -> Response:
    result, row_name = RESULT[operation]
    detail = element(row_name, [*elements(row), *(inside or [])])
    content = [*elements({"outFlag": flag, "outResult": words, **(beside or {})}), detail]
    return answered(element(f"{{{NAMESPACE}}}{operation}Response", [element(result, content)]))
