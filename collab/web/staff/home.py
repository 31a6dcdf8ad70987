"""The first page after signing in: what waits for me, what is late."""

from flask import g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from collab.accounts.permissions import Permission, may
from collab.inquiries import deputies, mentions, queries
from collab.web.access import actor, signed_in
from collab.web.staff import bp
from collab.web.staff.shown import shown
from collab.web.staff.views import counted_views
from collab.web.staff.words import TRACKS
from collab.web.staff_chrome import departments_here, piles_here


@bp.get("/")
@signed_in
def home() -> ResponseReturnValue:
    """What waits for whoever is signed in; for a new installation, what to do first."""
    g.pile = "home"
    who = actor()
    if not may(who, Permission.SEE_INQUIRIES):
        if may(who, Permission.WORK_IN_OFFICE):
            return redirect(url_for(".gates"), code=303)
        if may(who, Permission.SEE_REPORTS) and not may(who, Permission.MANAGE_PEOPLE):
            return redirect(url_for(".reports"), code=303)
        return render_template("staff/no_inquiries.html")
    waiting = queries.waits_for_me(who, to_declare=piles_here().to_declare)
    named = mentions.unread(who, waiting.named)
    return render_template(
        "staff/home.html",
        waiting=waiting,
        deputising=deputies.deputising(who, here=[departments_here()[id] for id in waiting.away]),
        mentions=named,
        to_answer=list(zip(waiting.to_answer, shown([row for _one, row in waiting.to_answer]), strict=True)),
        shown=shown,
        views=counted_views(),
        counts=piles_here(),
        sees_all=may(who, Permission.SEE_ALL_INQUIRIES),
        known_departments=list(departments_here().values()),
        departments=departments_here(),
        tracks=TRACKS,
    )
