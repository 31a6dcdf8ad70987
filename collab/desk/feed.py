"""A person's due dates as a calendar (RFC 5545) that a calendar program asks for again and again.

Whole days at the department's place, no alarms, no names and no topics: a calendar is shown on telephones and shared
with secretaries. What is done, or closed to the person, is gone with the next asking.
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask_babel import LazyString, force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from collab import accounts
from collab.accounts import User
from collab.core import clock, site
from collab.desk import agenda
from collab.desk.agenda import Item
from collab.inquiries.deadlines import What

#: As far ahead as anything is shown.
AHEAD = timedelta(days=366)

WORDS: dict[What, LazyString] = {
    What.TRIAGE: _l("%(reference)s to read and route"),
    What.FIRST_ANSWER: _l("%(reference)s first answer due"),
    What.HOST_ANSWER: _l("%(reference)s host's answer due"),
    What.REVIEW: _l("%(reference)s review due"),
    What.NEXT_STEP: _l("%(reference)s next step due"),
    What.DECISION: _l("%(reference)s decision due"),
    What.TOTAL: _l("%(reference)s answer in all due"),
    What.PARTNER_ANSWER: _l("%(reference)s partner's answer due"),
    What.INTEREST: _l("%(reference)s partner's word due"),
    What.WAITLIST_REFRESH: _l("%(reference)s waiting list to ask again"),
    What.CONDITIONS: _l("%(reference)s condition due"),
    What.GATE: _l("%(reference)s gate due"),
}


def calendar_of(user: User) -> bytes:
    """What this person owes, as an iCalendar file in his language; the same bytes while nothing changes."""
    from icalendar import Calendar  # slow to load, and asked for only here

    actor = accounts.actor_of(user)
    found = agenda.items(seen_by=actor, until=clock.now() + AHEAD, mine=True)
    changed = agenda.changed_at(found)
    with force_locale(user.locale):
        calendar = Calendar()
        calendar.add("prodid", "-//Collab//Due dates//EN")
        calendar.add("version", "2.0")
        calendar.add("calscale", "GREGORIAN")
        calendar.add("method", "PUBLISH")
        name = _("[Portal] Due dates")
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
        for one in found:
            calendar.add_component(_event(one, max(one.since, changed.get(one.inquiry_id, one.since))))
    return bytes(calendar.to_ical())


def _event(item: Item, changed: datetime):  # type: ignore[no-untyped-def]  # the type would load the library
    from icalendar import Event

    event = Event()
    event.add("uid", f"{item.uid}@{urlsplit(site.settings().base_url).hostname}")
    event.add("summary", str(WORDS[item.what]) % {"reference": item.reference})
    event.add("dtstart", item.day)
    event.add("dtend", item.day + timedelta(days=1))
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", item.sequence)
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    event.add("url", site.address(f"/staff/inquiries/{item.reference}"))
    return event
