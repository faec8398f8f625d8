"""Where people and machines come in: one module per role's portal, one for the API, webhooks and cron.

They stand above the workflows, because a page may tell a story that crosses nouns.
"""
