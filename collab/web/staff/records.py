"""The record of a decision: to read, to print on two pages, and as PDF where that extra is installed."""

from typing import Any

from flask import Response, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh

from collab import reviews
from collab.accounts import Role
from collab.accounts.permissions import Permission
from collab.core import clock
from collab.core.errors import NotFound
from collab.inquiries import Inquiry, Reason, Status
from collab.inquiries.history import KIND_LABELS
from collab.inquiries.models import AssignmentKind, GateState, HostAnswer, LightPath
from collab.mail import MailState
from collab.reviews import ConditionOwner, Guide, Recommendation, Record, Verdict
from collab.web import hooks, pdf
from collab.web.access import actor, requires
from collab.web.staff import bp
from collab.web.staff.acting import inquiry_for
from collab.web.staff.words import TRACKS


@bp.get("/inquiries/<reference>/record")
@requires(Permission.SEE_ALL_INQUIRIES)
def record(reference: str) -> ResponseReturnValue:
    """The newest decision's record, or that of ``?number=``."""
    inquiry, found = _asked(reference)
    return render_template("staff/record/page.html", **_context(inquiry, found))


@bp.get("/inquiries/<reference>/record.pdf")
@requires(Permission.SEE_ALL_INQUIRIES)
def record_pdf(reference: str) -> ResponseReturnValue:
    """The same as a file."""
    inquiry, found = _asked(reference)
    context = _context(inquiry, found)
    if not pdf.available():
        return render_template("staff/record/no_pdf.html", **context), 404
    written = pdf.write(render_template("staff/record/sheet.html", **context))
    name = f"{inquiry.reference}-record-{found.number}.pdf"
    return Response(
        written,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


def _asked(reference: str) -> tuple[Inquiry, Record]:
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    number = request.args.get("number")
    if number is not None and not (number.isascii() and number.isdigit() and len(number) < 5):
        raise NotFound
    asked = request.args.get("lang")
    if asked in {"en", "zh"}:
        g.lang = asked
        refresh()
    return inquiry, reviews.record_of(inquiry, int(number) if number else None, seen_by=actor())


def _context(inquiry: Inquiry, found: Record) -> dict[str, Any]:
    g.department = inquiry.department
    lang = hooks.language()
    reference, number = inquiry.reference, found.number
    return {
        "inquiry": inquiry,
        "record": found,
        "kept": found.content,
        "scores": found.reviews,
        "zone": found.content.get("timezone") or inquiry.department.timezone,
        "say": lambda words: (words or {}).get(lang) or (words or {}).get("en") or "",
        "parse": clock.parse,
        "is_whole": reviews.record.is_whole(found.kept),
        "label": _label,
        "kinds": KIND_LABELS,
        "tracks": TRACKS,
        "has_pdf": pdf.available(),
        "urls": {
            "other": url_for(
                ".record", reference=reference, number=number, lang="en" if lang == "zh" else "zh"
            ),
            "pdf": url_for(".record_pdf", reference=reference, number=number, lang=lang),
            "every": [url_for(".record", reference=inquiry.reference, number=n + 1) for n in range(found.of)],
        },
    }


_ENUMS = {
    "verdict": Verdict,
    "guide": Guide,
    "recommendation": Recommendation,
    "gate": GateState,
    "role": Role,
    "status": Status,
    "reason": Reason,
    "owner": ConditionOwner,
    "light": LightPath,
    "mail": MailState,
}


def _label(what: str, code: str | None) -> str:
    """The word for a code that was kept; the code itself when there is no such thing any more."""
    if not code:
        return ""
    if what == "as":
        return {AssignmentKind.HOST.value: _("Host"), AssignmentKind.REVIEWER.value: _("Reviewer")}.get(
            code, code
        )
    if what == "answer":
        said = {HostAnswer.YES: _("yes"), HostAnswer.LATER: _("later"), HostAnswer.NO: _("no")}
        return said.get(HostAnswer(code), code) if code in set(HostAnswer) else code
    kind: Any = _ENUMS[what]
    return str(kind(code).label) if code in set(kind) else code
