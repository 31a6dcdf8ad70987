"""A person's own data, as the person may have them."""

from typing import Any

from collab.core import clock
from collab.inquiries import partner, rules
from collab.inquiries.models import Inquiry
from collab.inquiries.statuses import Status
from collab.reviews import conditions_of


def everything_of(inquiry: Inquiry, lang: str | None = None) -> dict[str, Any]:
    """What the partner gave and what was written to the partner, as plain data for JSON.

    Never in it: notes, names of reviewers, opinions, screening, rank, letters that are held or were taken back.

    :param lang: the language of labels; the inquiry's own when not given.
    """
    now = clock.now()
    held = inquiry.held_until is not None and now < inquiry.held_until
    known = not held or rules.shown_status(inquiry, now=now) is Status.CONDITIONAL
    conditions = conditions_of(inquiry) if known else []
    return {
        **partner.own_data(inquiry, lang or inquiry.locale, now=now),
        "conditions": [
            {"text": c.text, "due_on": c.due_on.isoformat(), "state": c.state} for c in conditions
        ],
    }
