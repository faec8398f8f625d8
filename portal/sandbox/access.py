"""Where the sandbox's carriers, offices and ERP are reached, and the words that open them: as the portal's settings."""

from __future__ import annotations

from portal.sandbox.carriers import who
from portal.sandbox.erp import who as erp
from portal.sandbox.n11.books import APP_KEY, APP_SECRET
from portal.sandbox.nilvera.api import API_KEY
from portal.sandbox.trendyol import rules as trendyol


def environment(sandbox_url: str) -> dict[str, str]:
    """Names and values as the environment wants them."""
    return {
        "YURTICI_BASE_URL": f"{sandbox_url}/yurtici",
        "YURTICI_USER": who.YURTICI_USER,
        "YURTICI_PASSWORD": who.YURTICI_PASSWORD,
        "ARAS_ORDER_URL": f"{sandbox_url}/aras/arascargoservice.asmx",
        "ARAS_QUERY_URL": f"{sandbox_url}/aras/ArasCargoIntegrationService.svc",
        "ARAS_USER": who.ARAS_USER,
        "ARAS_PASSWORD": who.ARAS_PASSWORD,
        "ARAS_CUSTOMER_CODE": who.ARAS_CUSTOMER_CODE,
        "MOCK_CARRIER_BASE_URL": f"{sandbox_url}/mock",
        "MOCK_CARRIER_TOKEN": who.MOCK_TOKEN,
        "MOCK_CARRIER_WEBHOOK_SECRET": who.MOCK_WEBHOOK_SECRET,
        "NILVERA_BASE_URL": f"{sandbox_url}/nilvera",
        "NILVERA_API_KEY": API_KEY,
        "TRENDYOL_BASE_URL": f"{sandbox_url}/trendyol/integration",
        "TRENDYOL_SELLER_ID": trendyol.SELLER_ID,
        "TRENDYOL_API_KEY": trendyol.API_KEY,
        "TRENDYOL_API_SECRET": trendyol.API_SECRET,
        "TRENDYOL_WEBHOOK_USER": trendyol.WEBHOOK_USER,
        "TRENDYOL_WEBHOOK_PASSWORD": trendyol.WEBHOOK_PASSWORD,
        "N11_BASE_URL": f"{sandbox_url}/n11",
        "N11_APP_KEY": APP_KEY,
        "N11_APP_SECRET": APP_SECRET,
    }


def ledger(hana_port: int) -> dict[str, str]:
    """The demo company's ledger: Logo's tables on HANA for both sides, SAP Business One beside it for suppliers."""
    return {
        "CUSTOMER_LEDGERS": "logo_hana",
        "SUPPLIER_LEDGERS": "logo_hana,sapb1_hana",
        "HANA_HOST": "127.0.0.1",
        "HANA_PORT": str(hana_port),
        "HANA_USER": erp.USER,
        "HANA_PASSWORD": erp.PASSWORD,
        "HANA_ENCRYPT": "off",  # it never leaves this machine
        "LOGO_HANA_SCHEMA": erp.LOGO_SCHEMA,
        "LOGO_PERIODS": erp.PERIODS,
        "SAP_SCHEMA": erp.SAP_SCHEMA,
    }
