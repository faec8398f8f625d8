"""The media folder."""
