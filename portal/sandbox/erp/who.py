"""The words that open the sandbox's ERP, and the names in it."""

USER, PASSWORD = "EMANET", "Sandbox-2026"
LOGO_SCHEMA, SAP_SCHEMA, MSSQL_DATABASE = "LOGO", "SBO_DEMO", "TIGERDB"
PERIODS = "101/01,201/01"
