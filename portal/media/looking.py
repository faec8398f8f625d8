"""The look through the folder: nothing in the database is held while the network drive thinks."""

from __future__ import annotations

from portal.core.errors import Refusal
from portal.core.unit_of_work import atomic
from portal.media import services
from portal.media.services import NoFolder


def look_through() -> str:
    """New and changed files are read and written down, vanished ones are no longer shown. What was found, in words."""
    try:
        found = services.seen_now()
    except NoFolder:
        return "no folder"
    except Refusal as away:
        with atomic():
            services.note_look(trouble=str(away.message))
        return f"away: {away.code}"
    with atomic():
        changed = services.changed(found)
    for file in changed:
        content = services.looked_at(file)
        with atomic():
            services.note(file, content)
    with atomic():
        gone = services.note_gone(found)
        services.note_look(files=len(found))
    return f"{len(found)} files, {len(changed)} new or changed, {gone} gone"
