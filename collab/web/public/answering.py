"""How we answer: the real times and numbers of the last twelve months, for everybody to read.

The figures are those of the moment at which a worker first draws the page on a day, and stay so until the next day:
nobody can watch a single decision come in.
"""

from typing import Any

from flask import g
from flask_babel import gettext as _

from collab import departments, reports
from collab.core.errors import Unavailable
from collab.reports import Answering
from collab.reports.definitions import DECISION, FIRST, FIRST_IN_TIME, RECEIVED
from collab.reports.report import track_name
from collab.web.access import public
from collab.web.page_cache import cacheable
from collab.web.public import bp, linked_data
from collab.web.public.addresses import absolute
from collab.web.public.views import _Place


@bp.get("/<any(en,zh):lang>/<dept>/answers")
@public
@cacheable
def answers(dept: str) -> str:
    """How fast the department answered, and what became of the inquiries."""
    at = _Place.of(dept, "public.answers")
    return at.render("public/answers.html", lambda: _filled(at))


def _filled(at: _Place) -> dict[str, Any]:
    found = reports.answering(departments.by_id(at.department.id))
    if found.missing:  # after an upgrade, for minutes; a page that was kept before is shown meanwhile
        raise Unavailable
    description = _(
        "How long it took the department to answer inquiries in the last twelve months, and what became of them."
    )
    given = at.given(title=_("How we answer"), description=description)
    if found.says_anything:
        given["linked_data"] += linked_data.script([_dataset(at, found, description)])
    return {
        **given,
        "found": found,
        "track_name": track_name,
        "end_names": _end_names(),
        "total_days": {
            track: at.department.settings.service_levels.total_days.of(track) for track in departments.Track
        },
        "meanings": (RECEIVED, FIRST, FIRST_IN_TIME, DECISION),
    }


def _end_names() -> dict[str, str]:
    return {
        "agreed": _("Agreed, some of them on conditions"),
        "waitlisted": _("On the waiting list"),
        "referred": _("Passed on to another office"),
        "declined": _("Not possible"),
        "ended": _("Withdrawn, or closed without a reply"),
        "open": _("Not decided yet"),
    }


def _dataset(at: _Place, found: Answering, description: str) -> dict[str, Any]:
    """The same for machines: only what the page shows."""
    home = absolute("public.start", "en", dept=at.department.slug)
    figures: list[tuple[str, float | None, str]] = [
        (str(RECEIVED.name), found.received, _("inquiries")),
        (_("Working days to the first answer, median"), found.first, _("working days")),
        (_("First answers in time"), found.in_time, "%"),
    ]
    figures += [
        (
            _("Calendar days to the decision, median: %(track)s", track=track_name(one.track)),
            one.decision,
            _("days"),
        )
        for one in found.tracks
    ]
    figures += [(name, found.ends[end], _("inquiries")) for end, name in _end_names().items()]
    return {
        "@type": "Dataset",
        "@id": f"{absolute('public.answers', g.lang, dept=at.department.slug)}#figures",
        "name": _("How we answer"),
        "description": description,
        "creator": {"@id": f"{home}#department"},
        "temporalCoverage": f"{found.first_day.isoformat()}/{found.last_day.isoformat()}",
        "dateModified": found.last_day.isoformat(),
        "variableMeasured": [
            {"@type": "PropertyValue", "name": name, "value": value, "unitText": unit}
            for name, value, unit in figures
            if value is not None
        ],
    }
