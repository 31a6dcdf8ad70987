"""Words that only staff read."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.departments.tracks import Track

TRACKS: dict[Track, LazyString] = {
    Track.COOPERATION: _l("Cooperation"),
    Track.VISIT: _l("Visit"),
    Track.TRAINING: _l("Training"),
}
