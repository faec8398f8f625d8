"""Every setting, read once from the environment. The portal refuses to start when one is missing or wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from portal.settings_erp import ErpSettings

Security = Literal["none", "starttls", "ssl"]
JwtAlgorithm = Literal["HS256", "RS256", "PS256", "ES256"]
WhenSuspicious = Literal["stop", "last_good"]
CARRIER_SETTINGS = (
    "yurtici_base_url",
    "yurtici_user",
    "yurtici_password",
    "aras_order_url",
    "aras_query_url",
    "aras_user",
    "aras_password",
    "aras_customer_code",
    "mock_carrier_base_url",
    "mock_carrier_token",
    "mock_carrier_webhook_secret",
)
STOREFRONT_SETTINGS = (
    "trendyol_base_url", "trendyol_seller_id", "trendyol_api_key", "trendyol_api_secret", "trendyol_webhook_user",
    "trendyol_webhook_password", "trendyol_webhook_api_key", "n11_base_url", "n11_app_key", "n11_app_secret",
)  # fmt: skip

FEWEST_NOTE_DAYS = 30
FEWEST_PUSH_DAYS = 8  # the books compare the pushes of the last week with their lines


class WrongSettings(SystemExit):
    """Printed instead of a traceback: the person who starts the portal has to mend it."""


@dataclass(frozen=True)
class Settings:
    """What differs between two installations."""

    database_url: str = field(repr=False)  # postgresql+psycopg://…
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)  # signs CSRF tokens
    jwt_secret: str = field(repr=False)  # signs API tokens; 32 bytes at least
    cron_secret: str = field(repr=False)  # opens /api/cron
    portal_url: str  # how browsers and providers reach us
    iyzico_base_url: str
    iyzico_api_key: str = field(repr=False)
    iyzico_secret_key: str = field(repr=False)
    iyzico_timeout_seconds: Decimal = Decimal(10)
    provider_timeout_seconds: Decimal = Decimal(10)  # carriers, e-despatch office
    # A carrier without an address is not offered to sellers.
    yurtici_base_url: str = ""
    yurtici_user: str = field(default="", repr=False)
    yurtici_password: str = field(default="", repr=False)
    aras_order_url: str = ""
    aras_query_url: str = ""
    aras_user: str = field(default="", repr=False)
    aras_password: str = field(default="", repr=False)
    aras_customer_code: str = ""
    mock_carrier_base_url: str = ""  # Örnek Kargo: the demo company's carrier
    mock_carrier_token: str = field(default="", repr=False)
    mock_carrier_webhook_secret: str = field(default="", repr=False)
    # A storefront without an address is not sold on.
    trendyol_base_url: str = ""
    trendyol_seller_id: str = ""
    trendyol_api_key: str = field(default="", repr=False)
    trendyol_api_secret: str = field(default="", repr=False)
    trendyol_webhook_user: str = field(default="", repr=False)
    trendyol_webhook_password: str = field(default="", repr=False)
    trendyol_webhook_api_key: str = field(default="", repr=False)
    trendyol_integrator: str = "SelfIntegration"
    trendyol_limits: bool = True  # their calls per minute are counted on our side too; off beside the sandbox
    n11_base_url: str = ""
    n11_app_key: str = field(default="", repr=False)
    n11_app_secret: str = field(default="", repr=False)
    storefront_overlap_minutes: int = 15  # read again before the mark: their lists may be late
    storefront_first_days: int = 14  # how far back a new storefront is read
    storefront_gap_days: int = 3  # how far back their list is compared with ours
    storefront_split_minutes: int = 60  # how long a split package waits for its successors
    nilvera_base_url: str = "https://apitest.nilvera.com"
    nilvera_api_key: str = field(default="", repr=False)
    despatch_send: bool = True  # sign and send at once; otherwise drafts wait for the seller at Nilvera
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_user: str = field(default="", repr=False)
    smtp_password: str = field(default="", repr=False)
    smtp_security: Security = "none"
    smtp_sender: str = "Emanet <emanet@localhost>"
    smtp_timeout_seconds: Decimal = Decimal(10)
    dispute_days: int = 7  # days in which buyer and seller may settle an argument among themselves
    commission_dispute_days: int = 5  # business days in which finance answers an objection to a commission
    sandbox_url: str = ""  # set where the provider sandbox runs beside us
    demo: bool = False  # the demo company: movable clock, sign-in hints
    enable_jobs: bool = False  # scheduler and sweeper may run here
    trusted_hosts: tuple[str, ...] = ()
    proxy_hops: int = 0  # how many proxies of ours stand in front
    jwt_issuer: str = "emanet"
    jwt_audience: str = "emanet-api"
    token_minutes: int = 60
    # Who signs the tokens for the ERP's routes (/api/v2/logo…): empty means our own token route.
    aging_jwt_issuer: str = ""
    aging_jwt_audience: str = ""
    aging_jwt_algorithm: JwtAlgorithm = "HS256"
    aging_jwt_secret: str = field(default="", repr=False)  # HS256: shared with the issuer
    aging_jwt_jwks_url: str = ""  # the others: where the issuer publishes its keys
    aging_when_suspicious: WhenSuspicious = "stop"  # what the API answers while the newest data do not reconcile
    aging_patience_seconds: int = 25  # how long one who asks waits for a reading somebody else has begun
    aging_changed_only: bool = False  # a second reading of the same day fetches only accounts whose sums changed
    acceptance_days: int = 3  # days after delivery in which the buyer may object
    commission_percent: Decimal = Decimal("8.5")
    max_body_bytes: int = 24 * 1024 * 1024  # a few photographs of a phone
    webhook_max_bytes: int = 256 * 1024
    database_pool: int = 8  # connections a process keeps; as many again for a rush
    outbox_lease_seconds: int = 60  # how long a call in flight is left alone
    outbox_quiet_seconds: int = 900  # how long after silence before we ask what became of it
    reservation_minutes: int = 30  # how long goods are set aside for a basket nobody has paid
    returns_shelf: str = "IADE"  # where goods lie that came back, until somebody has looked at them
    stock_push_batch: int = 100  # barcodes in one call; never more than the storefront takes
    stock_push_quiet_seconds: int = 20  # how long after silence before a storefront is asked what it believes
    stock_push_read_back: int = 200  # barcodes each full comparison asks about, those confirmed longest ago first
    ship_within_days: int = 2  # days after the payment in which an order should leave the warehouse
    drain_lanes: int = 4  # calls and messages a worker handles at once
    erp: ErpSettings = field(default_factory=ErpSettings)  # whose ledger the receivables are read from
    schedule_pause_seconds: Decimal = Decimal(5)  # between two looks of the scheduler
    # Days after which personal data are forgotten (KVKK). The rows stay, so that a late repeat is still a repeat.
    retention_webhook_days: int = 90  # raw bodies of what providers told us
    retention_note_days: int = 365  # providers' own words in the history of tries; 30 at least
    retention_scan_days: int = 365  # carriers' own words about parcels; 30 at least
    retention_photo_days: int = 730  # pictures of settled disputes; 30 at least
    retention_letter_days: int = 365  # texts of letters
    retention_file_days: int = 365  # files of reports
    retention_error_days: int = 90  # errors on the page
    retention_push_days: int = 90  # what a stock push said of each barcode (the pushes stay); 8 at least
    retention_customer_days: int = 365  # whom a marketplace's package was for, after nothing changed about it
    media_folder: str = ""  # where pictures and brochures are mounted; empty: none
    media_timeout_seconds: Decimal = Decimal(5)  # how long the mount may take for one file
    log_folder: str = ""  # one rotating file per module; empty: standard error only
    log_file_mb: int = 10
    log_files_kept: int = 5
    log_json: bool = False  # one JSON object a line, for machines
    slot_lease_seconds: int = 60  # how long a running slot, and the scheduler's seat, outlive a silent process

    @property
    def secrets(self) -> list[str]:
        """What must never be written anywhere: every setting that is not shown either, and passwords in addresses."""
        hidden = [str(getattr(part, f.name)) for part in (self, self.erp) for f in fields(part) if not f.repr]
        return [*hidden, *(urlsplit(url).password or "" for url in (self.database_url, self.redis_url))]

    @property
    def https(self) -> bool:
        """Whether browsers reach us over TLS: then cookies are Secure."""
        return self.portal_url.startswith("https://")

    def wrong_issuer(self) -> list[str]:
        """What is wrong with the issuer of the ERP's tokens; half a configuration must not open a door."""
        shared = self.aging_jwt_algorithm == "HS256"
        if not self.aging_jwt_issuer:
            given = self.aging_jwt_audience or self.aging_jwt_secret or self.aging_jwt_jwks_url
            return ["AGING_JWT_ISSUER is missing"] if given else []
        wrong = [] if self.aging_jwt_audience else ["AGING_JWT_AUDIENCE is missing"]
        if shared and len(self.aging_jwt_secret.encode()) < 32:
            wrong.append("AGING_JWT_SECRET is shorter than 32 bytes (AGING_JWT_ALGORITHM=HS256)")
        if not shared and not self.aging_jwt_jwks_url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            wrong.append(f"AGING_JWT_JWKS_URL is not an https address (AGING_JWT_ALGORITHM={self.aging_jwt_algorithm})")
        return wrong

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment; everything that is wrong is named at once."""
        reader = _Reader(os.environ if env is None else env)
        settings = cls(
            database_url=_with_driver(reader.needed("DATABASE_URL")),
            redis_url=reader.needed("REDIS_URL"),
            secret_key=reader.secret("SECRET_KEY"),
            jwt_secret=reader.secret("JWT_SECRET"),
            cron_secret=reader.secret("CRON_SECRET", least=16),
            portal_url=reader.url("PORTAL_URL"),
            iyzico_base_url=reader.url("IYZICO_BASE_URL"),
            iyzico_api_key=reader.needed("IYZICO_API_KEY"),
            iyzico_secret_key=reader.needed("IYZICO_SECRET_KEY"),
            iyzico_timeout_seconds=reader.decimal("IYZICO_TIMEOUT_SECONDS", cls.iyzico_timeout_seconds),
            provider_timeout_seconds=reader.decimal("PROVIDER_TIMEOUT_SECONDS", cls.provider_timeout_seconds),
            **{name: reader.get(name.upper()) for name in CARRIER_SETTINGS},
            **{name: reader.get(name.upper()) for name in STOREFRONT_SETTINGS},
            trendyol_integrator=reader.get("TRENDYOL_INTEGRATOR") or cls.trendyol_integrator,
            trendyol_limits=reader.get("TRENDYOL_LIMITS") == "" or reader.flag("TRENDYOL_LIMITS"),
            storefront_overlap_minutes=reader.whole("STOREFRONT_OVERLAP_MINUTES", cls.storefront_overlap_minutes),
            storefront_first_days=reader.whole("STOREFRONT_FIRST_DAYS", cls.storefront_first_days),
            storefront_gap_days=reader.whole("STOREFRONT_GAP_DAYS", cls.storefront_gap_days),
            storefront_split_minutes=reader.whole("STOREFRONT_SPLIT_MINUTES", cls.storefront_split_minutes),
            nilvera_base_url=reader.get("NILVERA_BASE_URL") or cls.nilvera_base_url,
            nilvera_api_key=reader.get("NILVERA_API_KEY"),
            despatch_send=reader.get("DESPATCH_SEND") == "" or reader.flag("DESPATCH_SEND"),
            smtp_host=reader.get("SMTP_HOST") or cls.smtp_host,
            smtp_port=reader.whole("SMTP_PORT", cls.smtp_port),
            smtp_user=reader.get("SMTP_USER"),
            smtp_password=reader.get("SMTP_PASSWORD"),
            smtp_security=cast("Security", reader.one_of("SMTP_SECURITY", get_args(Security))),
            smtp_sender=reader.get("SMTP_SENDER") or cls.smtp_sender,
            smtp_timeout_seconds=reader.decimal("SMTP_TIMEOUT_SECONDS", cls.smtp_timeout_seconds),
            dispute_days=reader.whole("DISPUTE_DAYS", cls.dispute_days),
            commission_dispute_days=reader.whole("COMMISSION_DISPUTE_DAYS", cls.commission_dispute_days),
            sandbox_url=reader.get("SANDBOX_URL"),
            demo=reader.flag("DEMO"),
            enable_jobs=reader.flag("ENABLE_JOBS"),
            trusted_hosts=tuple(h.strip() for h in reader.get("TRUSTED_HOSTS").split(",") if h.strip()),
            proxy_hops=reader.whole("PROXY_HOPS", cls.proxy_hops),
            jwt_issuer=reader.get("JWT_ISSUER") or cls.jwt_issuer,
            jwt_audience=reader.get("JWT_AUDIENCE") or cls.jwt_audience,
            token_minutes=reader.whole("TOKEN_MINUTES", cls.token_minutes),
            aging_jwt_issuer=reader.get("AGING_JWT_ISSUER"),
            aging_jwt_audience=reader.get("AGING_JWT_AUDIENCE"),
            aging_jwt_algorithm=cast("JwtAlgorithm", reader.word("AGING_JWT_ALGORITHM", get_args(JwtAlgorithm))),
            aging_jwt_secret=reader.get("AGING_JWT_SECRET"),
            aging_jwt_jwks_url=reader.get("AGING_JWT_JWKS_URL"),
            aging_when_suspicious=cast(
                "WhenSuspicious", reader.one_of("AGING_WHEN_SUSPICIOUS", get_args(WhenSuspicious))
            ),
            aging_patience_seconds=reader.whole("AGING_PATIENCE_SECONDS", cls.aging_patience_seconds),
            aging_changed_only=reader.flag("AGING_CHANGED_ONLY"),
            acceptance_days=reader.whole("ACCEPTANCE_DAYS", cls.acceptance_days),
            commission_percent=reader.decimal("COMMISSION_PERCENT", cls.commission_percent),
            max_body_bytes=reader.whole("MAX_BODY_BYTES", cls.max_body_bytes),
            webhook_max_bytes=reader.whole("WEBHOOK_MAX_BYTES", cls.webhook_max_bytes),
            database_pool=reader.whole("DATABASE_POOL", cls.database_pool),
            outbox_lease_seconds=reader.whole("OUTBOX_LEASE_SECONDS", cls.outbox_lease_seconds),
            outbox_quiet_seconds=reader.whole("OUTBOX_QUIET_SECONDS", cls.outbox_quiet_seconds),
            reservation_minutes=reader.whole("RESERVATION_MINUTES", cls.reservation_minutes),
            returns_shelf=reader.get("RETURNS_SHELF") or cls.returns_shelf,
            stock_push_batch=max(1, reader.whole("STOCK_PUSH_BATCH", cls.stock_push_batch)),
            stock_push_quiet_seconds=reader.whole("STOCK_PUSH_QUIET_SECONDS", cls.stock_push_quiet_seconds),
            stock_push_read_back=reader.whole("STOCK_PUSH_READ_BACK", cls.stock_push_read_back),
            ship_within_days=reader.whole("SHIP_WITHIN_DAYS", cls.ship_within_days),
            drain_lanes=reader.whole("DRAIN_LANES", cls.drain_lanes),
            schedule_pause_seconds=reader.decimal("SCHEDULE_PAUSE_SECONDS", cls.schedule_pause_seconds),
            retention_webhook_days=reader.whole("RETENTION_WEBHOOK_DAYS", cls.retention_webhook_days),
            retention_note_days=reader.whole("RETENTION_NOTE_DAYS", cls.retention_note_days),
            retention_scan_days=reader.whole("RETENTION_SCAN_DAYS", cls.retention_scan_days),
            retention_photo_days=reader.whole("RETENTION_PHOTO_DAYS", cls.retention_photo_days),
            retention_customer_days=reader.whole("RETENTION_CUSTOMER_DAYS", cls.retention_customer_days),
            retention_letter_days=reader.whole("RETENTION_LETTER_DAYS", cls.retention_letter_days),
            retention_file_days=reader.whole("RETENTION_FILE_DAYS", cls.retention_file_days),
            retention_error_days=reader.whole("RETENTION_ERROR_DAYS", cls.retention_error_days),
            retention_push_days=reader.whole("RETENTION_PUSH_DAYS", cls.retention_push_days),
            media_folder=reader.get("MEDIA_FOLDER"),
            media_timeout_seconds=reader.decimal("MEDIA_TIMEOUT_SECONDS", cls.media_timeout_seconds),
            log_folder=reader.get("LOG_FOLDER"),
            log_file_mb=reader.whole("LOG_FILE_MB", cls.log_file_mb),
            log_files_kept=reader.whole("LOG_FILES_KEPT", cls.log_files_kept),
            log_json=reader.flag("LOG_JSON"),
            slot_lease_seconds=reader.whole("SLOT_LEASE_SECONDS", cls.slot_lease_seconds),
            erp=ErpSettings.read(reader),
        )
        slowest = max(settings.iyzico_timeout_seconds, settings.provider_timeout_seconds, settings.smtp_timeout_seconds)
        if slowest * 3 > settings.outbox_lease_seconds:
            reader.wrong.append(
                "OUTBOX_LEASE_SECONDS must be at least three times IYZICO_TIMEOUT_SECONDS, PROVIDER_TIMEOUT_SECONDS"
                " and SMTP_TIMEOUT_SECONDS"
            )
        for kind in ("note", "scan", "photo"):
            if getattr(settings, f"retention_{kind}_days") < FEWEST_NOTE_DAYS:
                name = f"RETENTION_{kind.upper()}_DAYS"
                reader.wrong.append(f"{name} must be {FEWEST_NOTE_DAYS} at least: the database refuses less")
        if settings.retention_push_days < FEWEST_PUSH_DAYS:
            reader.wrong.append(f"RETENTION_PUSH_DAYS must be {FEWEST_PUSH_DAYS} at least: the books ask for a week")
        reader.wrong += settings.wrong_issuer()
        if reader.wrong:
            raise WrongSettings("The portal cannot start:\n  " + "\n  ".join(reader.wrong))
        return settings


def _with_driver(url: str) -> str:
    """Whatever PostgreSQL URL is given, psycopg 3 speaks."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme.startswith("postgres") else url


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.wrong: list[str] = []

    def get(self, name: str) -> str:
        return self.env.get(name, "").strip()

    def needed(self, name: str) -> str:
        value = self.get(name)
        if not value:
            self.wrong.append(f"{name} is missing")
        return value

    def secret(self, name: str, least: int = 32) -> str:
        value = self.needed(name)
        if value and len(value.encode()) < least:
            self.wrong.append(f"{name} is shorter than {least} bytes")
        return value

    def url(self, name: str) -> str:
        value = self.needed(name).rstrip("/")
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            self.wrong.append(f"{name} is not an http(s) address")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.get(name).lower() or allowed[0]
        if value not in allowed:
            self.wrong.append(f"{name} must be one of {', '.join(allowed)}")
        return value

    def word(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.get(name) or allowed[0]
        if value not in allowed:
            self.wrong.append(f"{name} must be one of {', '.join(allowed)}")
        return value

    def flag(self, name: str) -> bool:
        return self.get(name).lower() in ("1", "on", "true", "yes")

    def whole(self, name: str, default: int) -> int:
        value = self.get(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit():
            self.wrong.append(f"{name} is not a whole number")
            return default
        return int(value)

    def decimal(self, name: str, default: Decimal) -> Decimal:
        value = self.get(name)
        try:
            return Decimal(value) if value else default
        except InvalidOperation:
            self.wrong.append(f"{name} is not a number")
            return default
