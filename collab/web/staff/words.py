"""Words that only staff read."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app
from flask_babel import LazyString, force_locale
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from collab.departments.tracks import Track
from collab.inquiries.statuses import Status
from collab.web import hooks

TRACKS: dict[Track, LazyString] = {
    Track.COOPERATION: _l("Cooperation"),
    Track.VISIT: _l("Visit"),
    Track.TRAINING: _l("Training"),
}


@dataclass(frozen=True)
class ListWords:
    """What the lists say again and again, in one language.

    :param pills: the statuses as ``macros/ui.html`` draws them everywhere.
    """

    tracks: dict[Track, str]
    statuses: dict[Status, str]
    pills: dict[Status, Markup]


def list_words() -> ListWords:
    """The words of the lists in the reader's language."""
    return _list_words(hooks.babel_locale())


@lru_cache(maxsize=4)
def _list_words(locale: str) -> ListWords:
    draw: Any = current_app.jinja_env.get_template("macros/ui.html").module
    with force_locale(locale):
        return ListWords(
            tracks={track: str(TRACKS[track]) for track in Track},
            statuses={status: str(status.label) for status in Status},
            pills={status: draw.status(status) for status in Status},
        )
