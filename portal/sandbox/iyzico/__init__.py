"""iyzico's marketplace, played."""
