"""Trendyol: plays the Storefront and its webhooks."""
