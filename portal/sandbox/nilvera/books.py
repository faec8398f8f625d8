"""Nilvera's books: drafts, sent documents, number series, answers. Every effect is counted."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

from portal.sandbox.store import Row
from portal.sandbox.world import ISTANBUL, World

DOCUMENT, SERIES = "nilvera_document", "nilvera_series"
CODES = ("error", "waiting", "sent", "succeed", "unknown")
ANSWER_CODES = {"FULL": "acceptAll", "PARTIAL": "documentAnswered", "REFUSED": "rejectAll"}
POSTAL_ZONE = re.compile(r"(0[1-9]|[1-7]\d|8[01])\d{3}", re.ASCII)
WHOLE_NUMBER = re.compile(r"[A-Z0-9]{3}20\d{11}", re.ASCII)
ONLY_SERIES = re.compile(r"[A-Z0-9]{3}", re.ASCII)
QUESTIONS_UNTIL_SUCCEED = 2


class Refused(Exception):
    """Nilvera says no: HTTP status, and codes with words."""

    def __init__(self, status: int, *errors: tuple[int, str]) -> None:
        super().__init__("; ".join(words for _code, words in errors))
        self.status, self.errors = status, errors


class Books:
    """What Nilvera knows of one company."""

    def __init__(self, world: World) -> None:
        self.world, self.store = world, world.store

    def create_series(self, asked: dict[str, Any]) -> Row:
        """A new number series; a second one of the same name is refused."""
        name = str(asked.get("Name") or "")
        with self.store.lock:
            if not ONLY_SERIES.fullmatch(name):
                raise Refused(422, (3001, "Seri adı 3 karakter olmalıdır."))
            if self.store.get(SERIES, name):
                raise Refused(409, (3002, "Seri zaten tanımlı."))
            self.store.count("nilvera.series", name)
            return self.store.put(SERIES, name, {"Name": name, "IsActive": True})

    def draft(self, asked: dict[str, Any]) -> Row:
        """A document nobody has signed yet. Without a whole number it gets one when it is sent: drafts may go away."""
        model = asked["EDespatch"]
        key = str(uuid.UUID(str(model["DespatchInfo"]["UUID"])))
        with self.store.lock:
            if self._row(key):
                raise Refused(409, (2001, f"{key} UUID numaralı belge daha önce oluşturulmuş."))
            if troubles := list(_troubles(model)):
                raise Refused(422, *troubles)
            series, number = self._numbering(str(model["DespatchInfo"]["DespatchSerieOrNumber"]))
            self.store.count("nilvera.draft", key)
            row = {"uuid": key, "series": series, "number": number, "code": "", "fixed": False, "questions": 0}
            return self.store.put(DOCUMENT, key, {**row, "model": model, "answer": None, "withdrawn": False})

    def _numbering(self, wanted: str) -> tuple[str, str]:
        series, number = wanted[:3], wanted if WHOLE_NUMBER.fullmatch(wanted) else ""
        if not number and not ONLY_SERIES.fullmatch(wanted):
            raise Refused(422, (3005, "DespatchSerieOrNumber geçersiz."))
        if not self.store.get(SERIES, series):
            raise Refused(422, (3009, f"{series} serisi bulunamadı."))
        if number in self._taken():
            raise Refused(422, (3010, f"{number} numarası daha önce kullanılmış."))
        return series, number

    def find(self, key: str, *, draft: bool) -> Row:
        """A draft, or a document that was sent: each is unknown on the other's paths."""
        row = self._row(key)
        if row is None or bool(row["code"]) is draft:
            raise Refused(404, (1004, "Belge bulunamadı."))
        return row

    def documents(self) -> list[Row]:
        """Everything that was not withdrawn."""
        return [row for row in self.store.all(DOCUMENT) if not row["withdrawn"]]

    def _row(self, key: str) -> Row | None:
        row = self.store.get(DOCUMENT, key.lower())
        return row if row and not row["withdrawn"] else None

    def _taken(self) -> set[str]:
        return {row["number"] for row in self.documents()} - {""}

    def confirm(self, key: str) -> Row:
        """Sign and send: from here on it stays."""
        with self.store.lock:
            row = self._row(key)
            if row and row["code"]:
                raise Refused(409, (2002, "Belge daha önce gönderilmiş."))
            row = self.find(key, draft=True)
            self.store.count("nilvera.confirm", row["uuid"])
            number = row["number"] or self._next_number(row["series"], row["model"]["DespatchInfo"]["IssueDate"][:4])
            return self.store.put(DOCUMENT, row["uuid"], {**row, "number": number, "code": "waiting"})

    def _next_number(self, series: str, year: str) -> str:
        """Without gaps within series and year, and past what the company numbered by hand."""
        taken = self._taken()
        while (number := f"{series}{year}{self.store.serial(f'nilvera:{series}{year}', 0):09d}") in taken:
            continue
        return number

    def withdraw(self, key: str) -> None:
        """A draft goes; what was sent does not."""
        with self.store.lock:
            row = self._row(key)
            if row and row["code"]:
                raise Refused(422, (2003, "Gönderilmiş belge silinemez."))
            row = self.find(key, draft=True)
            self.store.count("nilvera.withdraw", row["uuid"])
            self.store.put(DOCUMENT, row["uuid"], {**row, "withdrawn": True})

    def status(self, key: str) -> Row:
        """How far it is. The tax office needs until the second question, unless somebody pulled a lever."""
        with self.store.lock:
            row = self.find(key, draft=False)
            asked = row["questions"] + 1
            arrived = asked >= QUESTIONS_UNTIL_SUCCEED and not row["fixed"]
            changed = {"questions": asked, "code": "succeed" if arrived else row["code"]}
            return self.store.put(DOCUMENT, row["uuid"], {**row, **changed})

    def set_status(self, key: str, code: str) -> Row:
        """By lever: it stays at this word."""
        with self.store.lock:
            row = self.find(key, draft=False)
            return self.store.put(DOCUMENT, row["uuid"], {**row, "code": code, "fixed": True})

    def answer(self, key: str, asked: dict[str, Any]) -> Row:
        """By lever: the receiver answers. Lines he did not mention are taken, or refused, whole."""
        with self.store.lock:
            row = self.find(key, draft=False)
            verdict = str(asked["verdict"])
            said = {int(line["line_no"]): line for line in asked.get("lines") or ()}
            lines = [
                said.get(no) or _whole(no, int(line["DeliveredQuantity"]), refused=verdict == "REFUSED")
                for no, line in enumerate(row["model"]["DespatchLines"], start=1)
            ]
            at = f"{self.world.now().astimezone(ISTANBUL):%Y-%m-%dT%H:%M:%S}"
            answer = {"code": ANSWER_CODES[verdict], "lines": lines, "note": str(asked.get("note") or ""), "at": at}
            return self.store.put(DOCUMENT, row["uuid"], {**row, "answer": answer})


def _whole(line_no: int, quantity: int, *, refused: bool) -> Row:
    return {"line_no": line_no, "accepted": 0 if refused else quantity, "refused": quantity if refused else 0}


def _troubles(model: dict[str, Any]) -> list[tuple[int, str]]:
    """What is missing, all of it at once."""
    delivery = model["ShipmentDetail"]["Delivery"]
    address, drivers = delivery["AddressInfo"], model["ShipmentDetail"]["ShipmentInfo"].get("DriverPerson")
    carrier = delivery.get("CarrierInfo") or {}
    parties = {name: model[name] for name in ("DespatchSupplierInfo", "DeliveryCustomerInfo")}
    checks = [(len(str(party["TaxNumber"])) in (10, 11), f"{name}.TaxNumber") for name, party in parties.items()]
    checks += [
        (bool(party.get(field)), f"{name}.{field}")
        for name, party in parties.items()
        for field in ("Name", "District", "City", "Country")
    ]
    checks += [
        (bool(POSTAL_ZONE.fullmatch(str(address.get("PostalCode")))), "AddressInfo.PostalCode"),
        (bool(address.get("District") and address.get("City")), "AddressInfo.District/City"),
        (bool(drivers) or len(str(carrier.get("TaxNumber", ""))) in (10, 11), "CarrierInfo/DriverPerson"),
        (bool(model.get("DespatchLines")), "DespatchLines"),
    ]
    checks += [(_fits(line), f"DespatchLines[{at}]") for at, line in enumerate(model.get("DespatchLines") or ())]
    return [(4000, f"{field} alanı zorunludur ya da geçersizdir.") for fits, field in checks if not fits]


def _fits(line: dict[str, Any]) -> bool:
    return bool(line.get("Name") and Decimal(line.get("DeliveredQuantity") or 0) > 0 and line.get("DeliveredUnitType"))
