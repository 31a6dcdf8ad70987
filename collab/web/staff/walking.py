"""Walking through the queue: a step that was begun in a view leads back into it, or on to its next inquiry."""

from urllib.parse import parse_qs, urlencode

from flask import request, url_for

from collab.core.errors import Invalid
from collab.inquiries import Inquiry, queries
from collab.inquiries.queries import QueueView
from collab.web.access import actor


def written(view: QueueView) -> str:
    """A view as the addresses of steps carry it."""
    return urlencode(view.to_args())


def read(text: str | None) -> QueueView | None:
    """The view an address or a form carries; ``None`` for none, or for one that no view can be."""
    if text is None:
        return None
    try:
        return QueueView.parse(parse_qs(text, max_num_fields=30))
    except (Invalid, ValueError):
        return None


def walks() -> bool:
    """Whether the page was come to from a view."""
    return read(request.args.get("view")) is not None


def onward(inquiry: Inquiry) -> str:
    """Where a step leads when it is done; asked before it is done, since the inquiry may leave the view by it."""
    view = read(request.args.get("view"))
    if view is None:
        return url_for("staff.inquiry", reference=inquiry.reference)
    reference: str | None = inquiry.reference
    if "next" in request.form:
        reference = queries.neighbours(view, inquiry, seen_by=actor()).next
    page = url_for("staff.inquiry", reference=reference) if reference else url_for("staff.queue")
    return within(page, view)


def within(page: str, view: QueueView) -> str:
    """An address with the view in it."""
    words = written(view)
    return f"{page}?{words}" if words else page
