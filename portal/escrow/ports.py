"""The payment provider, in our words. iyzico plays it (facts: signing, items, approval)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from portal.core.money import Money
from portal.core.ports import CallAnswer, Outcome


class PaymentTruth(StrEnum):
    """What the provider says has become of a payment, after all their words are mapped."""

    WAITING = "WAITING"  # begun, or under fraud review: nothing to rely on yet
    PAID = "PAID"
    FAILED = "FAILED"


@dataclass(frozen=True)
class CheckoutItem:
    """One basket item: the money that is later released as one. `item_key` is ours and unique."""

    item_key: str
    name: str
    amount: Money
    seller_key: str  # the provider's key of the sub-merchant
    seller_share: Money


@dataclass(frozen=True)
class CheckoutRequest:
    """Everything the provider needs to show its payment page."""

    attempt_key: str  # our conversation id: 32 hex digits, unique per attempt
    total: Money
    items: list[CheckoutItem]
    buyer_key: str
    buyer_name: str
    buyer_email: str
    buyer_phone: str
    buyer_tax_number: str
    buyer_address: str
    buyer_city: str
    buyer_ip: str
    callback_url: str
    language: str = "tr"


@dataclass(frozen=True)
class CheckoutPage:
    """Where the buyer pays. `outcome` DONE carries token and url; otherwise `why` says what happened."""

    outcome: Outcome
    token: str = ""
    url: str = ""
    expires_in_seconds: int = 0
    why: str = ""


@dataclass(frozen=True)
class PaidItem:
    """The provider's view of one basket item."""

    item_key: str  # ours
    provider_item_key: str  # theirs: approve and refund name it
    amount: Money
    seller_share: Money
    approved: bool


@dataclass(frozen=True)
class PaymentState:
    """The truth about a payment as the provider tells it now."""

    truth: PaymentTruth
    provider_payment_key: str = ""
    attempt_key: str = ""
    paid: Money = Money(0)
    provider_fee: Money = Money(0)
    refunded: Money = Money(0)
    cancelled: bool = False
    items: tuple[PaidItem, ...] = ()
    why: str = ""
    words: str = ""  # their own status words, kept for the operator


@dataclass(frozen=True)
class PaymentAnswer:
    """The answer to asking for a payment's truth. Unknown outcome: they were silent."""

    outcome: Outcome
    state: PaymentState | None = None
    why: str = ""


@dataclass(frozen=True)
class RefundFact:
    """One refund the provider knows about; `our_key` is the conversation id we sent with it."""

    our_key: str
    provider_item_key: str
    amount: Money
    succeeded: bool


@dataclass(frozen=True)
class RefundsAnswer:
    """Every refund and cancel of one payment, for the operator and for settling an unknown one."""

    outcome: Outcome
    refunds: tuple[RefundFact, ...] = ()
    cancelled: bool = False
    why: str = ""


@dataclass(frozen=True)
class Seller:
    """A sub-merchant as the provider wants to know it."""

    external_key: str
    legal_title: str
    tax_office: str
    tax_number: str
    iban: str
    email: str
    phone: str
    address: str


@dataclass(frozen=True)
class PaidOut:
    """Money the provider says it has sent to a bank account: to the seller, or to the platform itself."""

    provider_item_key: str
    amount: Money
    seller_key: str  # empty: the platform's own share
    paid_on: date


@dataclass(frozen=True)
class PayoutReport:
    """The provider's report of one day's payouts."""

    outcome: Outcome
    rows: tuple[PaidOut, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class WebhookHint:
    """What a verified webhook says. A hint only: the truth is asked for."""

    event_type: str
    dedupe_key: str  # made of signed fields only
    aggregate_key: str  # "token:<token>" or "payment:<id>"
    occurred_at: datetime | None = None


class PaymentGateway(Protocol):
    """The one who holds the money. Every method either answers or says UNKNOWN; none raises for silence."""

    name: str

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage: ...

    def payment_by_token(self, token: str) -> PaymentAnswer: ...

    def payment_by_key(self, provider_payment_key: str) -> PaymentAnswer: ...

    def payment_by_attempt(self, attempt_key: str) -> PaymentAnswer: ...

    def approve(self, provider_item_key: str, *, key: str) -> CallAnswer: ...

    def disapprove(self, provider_item_key: str, *, key: str) -> CallAnswer: ...

    def refund(self, provider_item_key: str, amount: Money, *, key: str, because: str) -> CallAnswer: ...

    def cancel(self, provider_payment_key: str, *, key: str, because: str) -> CallAnswer: ...

    def refunds_of(self, provider_payment_key: str) -> RefundsAnswer: ...

    def register_seller(self, seller: Seller, *, key: str) -> CallAnswer:
        """`reference` is the provider's key of the seller; asking again for a known seller answers the same key."""
        ...

    def payouts_of(self, day: date) -> PayoutReport: ...


class WebhookVerifier(Protocol):
    """Checks a webhook on its raw bytes."""

    def open(self, headers: dict[str, str], body: bytes) -> WebhookHint | None:
        """The hint inside, or None when the signature does not fit. Malformed bodies raise `BadInput`."""
        ...
