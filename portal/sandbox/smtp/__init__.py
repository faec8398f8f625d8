"""A mail server, played: it takes every letter and delivers none."""

from portal.sandbox.smtp.box import blueprints, start_post_office

__all__ = ["blueprints", "start_post_office"]
