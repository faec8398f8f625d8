"""Logo Tiger's ledger, whichever database carries it: tables by firm and period, lines with a sign, binary amounts."""
