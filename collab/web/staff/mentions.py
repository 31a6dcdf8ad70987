"""Notes that name somebody: on the start page until they are read."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from collab.accounts.permissions import Permission
from collab.core.db import unit_of_work
from collab.core.errors import NotFound
from collab.inquiries import mentions
from collab.web.access import actor, requires
from collab.web.forms import PortalForm
from collab.web.staff import bp
from collab.web.staff.acting import opened


class PressForm(PortalForm):
    """Nothing but a button."""


@bp.post("/inquiries/<reference>/mentions/read")
@requires(Permission.SEE_INQUIRIES)
def mentions_read(reference: str) -> ResponseReturnValue:
    """Every note on this inquiry that names whoever is signed in is read."""
    inquiry = opened(reference)
    if not PressForm().validate_on_submit():
        raise NotFound
    with unit_of_work():
        mentions.read(inquiry, by=actor())
    return redirect(url_for(".home"), code=303)
