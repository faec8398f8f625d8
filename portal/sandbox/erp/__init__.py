"""A company's ledger as Logo and SAP Business One keep it: for the stand-ins to answer from, and for measuring."""
