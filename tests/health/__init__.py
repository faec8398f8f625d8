"""The machinery watched."""
