"""The kuruş passport: where an amount comes from, and where it went."""
