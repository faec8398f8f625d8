"""What every ERP that is read by SQL has in common: one line to it, its values in our words, errors by their reason."""
