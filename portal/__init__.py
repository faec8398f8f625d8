"""Emanet: a portal for Turkish B2B commerce that can explain every kuruş and every piece."""
