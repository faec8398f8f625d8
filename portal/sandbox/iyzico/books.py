"""iyzico's books: forms, payments, items, refunds, payouts. Amounts in kuruş; every effect is counted."""

from __future__ import annotations

import secrets
import uuid
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from portal.sandbox.store import Row
from portal.sandbox.world import World

HELD, APPROVED = 1, 2


class Refused(Exception):
    """iyzico says no: code and words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def kurus(value: object) -> int:
    """From what the merchant wrote ("10.50")."""
    amount = Decimal(str(value)).scaleb(2)
    if amount != amount.to_integral_value():
        raise Refused("3", "price alanı geçersiz")
    return int(amount)


class Books:
    """What iyzico knows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = world.store

    # Sub-merchants ------------------------------------------------------------------------------------------

    def register(self, asked: dict[str, Any]) -> Row:
        """A new sub-merchant; the external id is unique."""
        with self.store.lock:
            external = str(asked.get("subMerchantExternalId") or "")
            for name in ("email", "gsmNumber", "address", "iban", "taxOffice", "legalCompanyTitle"):
                if not asked.get(name):
                    raise Refused("3", f"{name} alanı zorunludur")
            if not external or self.store.get("seller", external):
                raise Refused("2002", "subMerchantExternalId zaten kayıtlı")
            key = secrets.token_urlsafe(18)
            self.store.count("submerchant", external)
            self.store.put("seller_key", key, {"external": external})
            return self.store.put("seller", external, {**asked, "subMerchantKey": key})

    def change_seller(self, asked: dict[str, Any]) -> Row:
        """A sub-merchant moves or changes banks; the key stays."""
        with self.store.lock:
            pointer = self.store.get("seller_key", asked.get("subMerchantKey", ""))
            if pointer is None:
                raise Refused("2001", "alt üye işyeri bulunamadı")
            if not asked.get("iban"):
                raise Refused("3", "iban alanı zorunludur")
            known = self.seller(pointer["external"])
            kept = {name: known[name] for name in ("subMerchantKey", "subMerchantExternalId", "subMerchantType")}
            return self.store.put("seller", pointer["external"], {**known, **asked, **kept})

    def seller(self, external: str) -> Row:
        """A known sub-merchant."""
        known = self.store.get("seller", external)
        if known is None:
            raise Refused("2001", "alt üye işyeri bulunamadı")
        return known

    # Payments -----------------------------------------------------------------------------------------------

    def open_form(self, asked: dict[str, Any]) -> Row:
        """A payment page for a basket that adds up."""
        items = asked.get("basketItems") or []
        whole = kurus(asked.get("price", "0"))
        if not items or sum(kurus(item["price"]) for item in items) != whole:
            raise Refused("5062", "Gönderilen tutar tüm kırılımların toplam tutarına eşit olmalıdır")
        for item in items:
            if kurus(item["price"]) <= 0 or not 0 <= kurus(item["subMerchantPrice"]) <= kurus(item["price"]):
                raise Refused("5063", "kırılım tutarı geçersiz")
            if not self.store.get("seller_key", item.get("subMerchantKey", "")):
                raise Refused("2001", "alt üye işyeri bulunamadı")
        token = str(uuid.uuid4())
        return self.store.put("form", token, {"token": token, "asked": asked, "status": "OPEN", "payment_id": ""})

    def pay(self, token: str, *, success: bool) -> Row:
        """The buyer's card went through, or did not. A form is paid once."""
        with self.store.lock:
            form = self.store.get("form", token)
            if form is None or form["status"] == "PAID":
                raise Refused("5500", "ödeme formu bulunamadı ya da daha önce ödendi")
            if not success:
                return self.store.put("form", token, {**form, "status": "DECLINED"})
            payment = self._payment(form)
            self.store.count("payment", payment["conversationId"])
            return self.store.put("form", token, {**form, "status": "PAID", "payment_id": payment["id"]})

    def _payment(self, form: Row) -> Row:
        asked = form["asked"]
        payment_id = str(self.store.serial("payment", 22400000))
        paid = kurus(asked["paidPrice"])
        settings = self.world.settings
        fee = int((Decimal(paid * settings.fee_permille) / 1000).quantize(Decimal(1), ROUND_HALF_UP))
        items = []
        for item in asked["basketItems"]:
            item_id = str(self.store.serial("item", 27200000))
            row = {
                "id": item_id,
                "payment_id": payment_id,
                "basket_item": str(item["id"]),
                "price": kurus(item["price"]),
                "seller_key": item["subMerchantKey"],
                "seller_price": kurus(item["subMerchantPrice"]),
                "status": HELD,
                "refunds": [],
                "refunded": 0,
                "refunded_seller": 0,
                "approved_on": "",
            }
            self.store.put("item", item_id, row)
            items.append(item_id)
        self.store.put("conversation", str(asked.get("conversationId", "")), {"payment_id": payment_id})
        return self.store.put(
            "payment",
            payment_id,
            {
                "id": payment_id,
                "token": form["token"],
                "conversationId": str(asked.get("conversationId", "")),
                "basketId": str(asked.get("basketId", "")),
                "price": kurus(asked["price"]),
                "paid": paid,
                "fee": fee,
                "fee_fixed": settings.fee_fixed_kurus,
                "items": items,
                "cancels": [],
                "on": self.world.today(),
            },
        )

    def payment(self, payment_id: object) -> Row:
        """A payment by its id."""
        known = self.store.get("payment", payment_id)
        if known is None:
            raise Refused("5086", "ödeme kaydı bulunamadı")
        return known

    def payment_of_conversation(self, conversation: str) -> Row:
        """A payment by the merchant's own id."""
        return self.payment((self.store.get("conversation", conversation) or {}).get("payment_id"))

    def item(self, item_id: object) -> Row:
        """An item of a payment."""
        known = self.store.get("item", item_id)
        if known is None:
            raise Refused("5092", "ödeme kırılımı bulunamadı")
        return known

    # Money moves --------------------------------------------------------------------------------------------

    def approve(self, item_id: object) -> None:
        """Release an item. A second approval is refused, but it is counted: that is how a careless caller is seen."""
        with self.store.lock:
            item = self.item(item_id)
            if self.payment(item["payment_id"])["cancels"] or item["refunded"] == item["price"]:
                raise Refused("5093", "iade edilmiş kırılım onaylanamaz")
            self.store.count("approve", item["id"])
            if item["status"] == APPROVED:
                raise Refused("5094", "ödeme kırılımı daha önce onaylanmış")
            self.store.put("item", item["id"], {**item, "status": APPROVED, "approved_on": self.world.today()})

    def disapprove(self, item_id: object) -> None:
        """Take an approval back."""
        with self.store.lock:
            item = self.item(item_id)
            if item["status"] != APPROVED:
                raise Refused("5095", "ödeme kırılımı onaylı değil")
            if self.payout_day(item) <= self.world.today():
                raise Refused("5098", "ödemesi yapılmış kırılımın onayı geri alınamaz")
            self.store.count("disapprove", item["id"])
            self.store.put("item", item["id"], {**item, "status": HELD, "approved_on": ""})

    def share(self, asked: dict[str, Any]) -> Row:
        """Another part of an item for its seller, while the money is held."""
        with self.store.lock:
            item = self.item(asked.get("paymentTransactionId"))
            wanted = kurus(asked.get("subMerchantPrice"))
            if item["status"] != HELD or not 0 <= wanted <= item["price"]:
                raise Refused("5099", "kırılım güncellenemez")
            return self.store.put("item", item["id"], {**item, "seller_price": wanted})

    def refund(self, item_id: object, amount: int, conversation: str) -> Row:
        """Give back a part; parts add up, and there is no idempotency."""
        with self.store.lock:
            item = self.item(item_id)
            if self.payment(item["payment_id"])["cancels"] or not 0 < amount <= item["price"] - item["refunded"]:
                raise Refused("5096", "iade tutarı kalan tutardan büyük olamaz")
            refunded = item["refunded"] + amount
            refund = {
                "id": str(self.store.serial("refund", 900000)),
                "conversation": conversation,
                "amount": amount,
                "on": self.world.today(),
                "after_payout": item["status"] == APPROVED and self.payout_day(item) <= self.world.today(),
            }
            self.store.count("refund", conversation)
            changed = {
                "refunded": refunded,
                # Their payout shrinks in proportion, rounded down over everything refunded so far (unsure: not documented).
                "refunded_seller": item["seller_price"] * refunded // item["price"],
                "refunds": [*item["refunds"], refund],
            }
            return self.store.put("item", item["id"], {**item, **changed})

    def cancel(self, payment_id: object, conversation: str) -> Row:
        """Take back a whole payment, the same day and with nothing approved or refunded."""
        with self.store.lock:
            payment = self.payment(payment_id)
            items = [self.item(item_id) for item_id in payment["items"]]
            touched = any(i["status"] == APPROVED or i["refunded"] for i in items)
            if payment["cancels"] or touched or payment["on"] != self.world.today():
                raise Refused("5097", "ödeme iptal edilemez")
            self.store.count("cancel", payment["id"])
            return self.store.put("payment", payment["id"], {**payment, "cancels": [conversation]})

    def payout_day(self, item: Row) -> str:
        """The day an approved item's money leaves."""
        approved = date.fromisoformat(item["approved_on"])
        return str(approved + timedelta(days=self.world.settings.payout_delay_days))
