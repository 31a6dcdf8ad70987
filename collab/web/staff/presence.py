"""Who has an inquiry open right now: told and asked by its page, readable without a script too."""

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import desk, inquiries
from collab.accounts.permissions import Permission
from collab.core.db import unit_of_work
from collab.desk import Someone
from collab.web.access import actor, requires
from collab.web.staff import bp


@bp.get("/inquiries/<reference>/presence")
@requires(Permission.SEE_INQUIRIES)
def who_is_here(reference: str) -> ResponseReturnValue:
    """Who else has it open at this moment."""
    inquiry = inquiries.by_reference(reference, seen_by=actor())
    return render_template(
        "staff/presence.html", inquiry=inquiry, people=desk.present(inquiry, seen_by=actor())
    )


@bp.post("/inquiries/<reference>/presence")
@requires(Permission.SEE_INQUIRIES)
def be_here(reference: str) -> ResponseReturnValue:
    """The page is still open (or was closed, with ``leave``); answers with who else is there, in one sentence."""
    inquiry = inquiries.by_reference(reference, seen_by=actor())
    with unit_of_work():
        if "leave" in request.form:
            desk.leave(inquiry, by=actor())
            return "", 204
        others = desk.here(inquiry, writing="writing" in request.form, by=actor())
    return jsonify(said=sentence(others))


def sentence(others: list[Someone]) -> str:
    """Who else is there, in one sentence; empty when nobody is."""
    between = _(", ")
    writing = between.join(one.name for one in others if one.writing)
    looking = between.join(one.name for one in others if not one.writing)
    parts = []
    if writing:
        parts.append(_("Writing here now: %(names)s.", names=writing))
    if looking:
        parts.append(_("Also has it open: %(names)s.", names=looking))
    return " ".join(parts)
