"""The form of first contact: shown, refused with everything kept, put aside for later, sent."""

from datetime import timedelta
from typing import Any

from flask import Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh
from flask_wtf.csrf import CSRFError
from itsdangerous import BadSignature
from werkzeug.datastructures import MultiDict

from collab import departments, files, inquiries
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Invalid, NotFound, Refused, TooMany, Unavailable
from collab.core.wording import format_day
from collab.departments import Department, Track
from collab.inquiries import Inquiry, Status, Submission, partner, submission
from collab.web.access import public, visitor
from collab.web.errors import page as error_page
from collab.web.hooks import LANGUAGES
from collab.web.partner import bp, seals, uploads
from collab.web.partner.fields import clean_address
from collab.web.partner.forms import FORMS, CorrectionForm, InquiryForm, harmless, start_is_soon
from collab.web.partner.seals import Seal

#: The purpose the form's seal is signed for.
FORM = "form"
#: The form's buttons that do not send it.
_OTHER_BUTTONS = frozenset({"switch_lang", "back", "remove_file", "save"})
#: Where a visitor came from, if the link says so: one of our own pages, by name.
_PAGE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-/")


@bp.route(
    "/<any(en,zh):lang>/<dept>/inquire/<any(cooperation,visit,training):track>", methods=["GET", "POST"]
)
@public
def inquire(dept: str, track: str) -> ResponseReturnValue:
    """The form of one track; POST sends it."""
    department = g.department = departments.by_slug(dept)
    form_class = FORMS[Track(track)]
    if request.method == "GET":
        given = {
            name: request.args[name]
            for name in ("area", "visitor_type", "training_model")
            if name in request.args
        }
        source = request.args.get("from", "")[:120]
        given["source_page"] = source if set(source) <= _PAGE else ""
        form = form_class(department, typed=MultiDict(given))
        seals.put(form, FORM)
        return _shown(form)
    form = form_class(department)
    seal = seals.read(form, FORM)
    adult = "adult_declaration" not in form or bool(form["adult_declaration"].data)
    plain = adult and seal is not None and _by_a_person(form, seal) and not _OTHER_BUTTONS & set(request.form)
    # Sending looks for a twin itself; everything else shows what became of a form that was sent before.
    if not plain and (before := _sent_before(seal)) is not None:
        return before
    if "switch_lang" in request.form:
        return _in_the_other_language(form_class, department, seal)
    if "back" in request.form:
        return _shown(_sealed(form, seal))
    if "remove_file" in request.form:
        if seal is not None:
            uploads.remove(seal.claim_token, request.form["remove_file"])
        return _shown(_sealed(form_class(department), seal))
    if seal is None or not _by_a_person(form, seal):
        return _looks_like_a_machine(form, seal)
    if "save" in request.form:
        return _save(form, seal)
    if not adult and not form.validate() and set(form.errors) == {"adult_declaration"}:
        uploads.remove_all(seal.claim_token)
        return _only_for_adults(form)
    return _send(form, seal)


def _by_a_person(form: InquiryForm, seal: Seal) -> bool:
    return not form.website.data and seals.LEAST <= seal.age <= seals.MOST


def _sent_before(seal: Seal | None) -> ResponseReturnValue | None:
    """To the page of the inquiry that this form has become already; ``None`` when it has not been sent."""
    existing = submission.by_key(seal.submission_key) if seal is not None else None
    return redirect(url_for(".sent", ticket=ticket_of(existing)), code=303) if existing is not None else None


def _send(form: InquiryForm, seal: Seal) -> ResponseReturnValue:
    department_id = form.department.id
    try:
        taken, problem = uploads.arrived(purpose="inquiry")
        if not _valid(form, problem):
            uploads.keep(taken, seal.claim_token, department_id=department_id)
            return _sent_before(seal) or _shown(form, status=422)
        given = Submission(
            department=form.department,
            track=form.track,
            locale=g.lang,
            fields=form.answers(),
            submission_key=seal.submission_key,
            claim_token=seal.claim_token,
            arrived=tuple(taken),
            source_page=form.source_page.data or None,
        )
        # One durable transaction for both, unless the inquiry is refused: then the file is kept without it.
        with (
            uploads.kept_if_refused(taken, seal.claim_token, department_id=department_id),
            unit_of_work(),
        ):
            uploads.count(len(taken))
            inquiry = inquiries.submit(given, by=visitor())
            ticket = ticket_of(inquiry)
    except Invalid as refusal:
        form.refuse(refusal)
        return _shown(form, status=refusal.status)
    except (TooMany, Unavailable) as refusal:
        return _put_off(form, refusal)
    return redirect(url_for(".sent", ticket=ticket), code=303)


def _save(form: InquiryForm, seal: Seal) -> ResponseReturnValue:
    """Save and finish later: needs the e-mail alone; the link to the draft goes there."""
    department_id = form.department.id
    try:
        problem = uploads.take(seal.claim_token, department_id=department_id, purpose="inquiry")
        try:
            email = clean_address(form.email.data or "")
        except Invalid as refusal:
            form.refuse(refusal)
            return _shown(form, status=422)
        if problem is not None:
            form.refuse(problem)
            return _shown(form, status=422)
        with unit_of_work():
            draft = inquiries.save_draft(
                form.department,
                form.track,
                locale=g.lang,
                email=email,
                data={**form.typed(), "submission_key": seal.submission_key},
                submission_key=seal.submission_key,
                claim_token=seal.claim_token,
                by=visitor(),
            )
            ticket = seals.signer("draft").dumps(
                {"dept": form.department.slug, "email": masked(email), "until": draft.expires_at.isoformat()}
            )
    except Invalid as refusal:
        form.refuse(refusal)
        return _shown(form, status=refusal.status)
    except (TooMany, Unavailable) as refusal:
        return _put_off(form, refusal)
    return redirect(url_for(".saved", ticket=ticket), code=303)


def _valid(form: InquiryForm, problem: Invalid | None) -> bool:
    valid = form.validate()
    if problem is not None:
        form.refuse(problem)
    return bool(valid) and problem is None


def _looks_like_a_machine(form: InquiryForm, seal: Seal | None) -> ResponseReturnValue:
    """A filled trap, a form sent in no time, or without our seal: nothing is kept, a person simply sends it again."""
    sentence = _("Please look through your answers and press “Send” again. Nothing was sent yet.")
    if form.website.data:
        sentence = _(
            "Your browser filled in a hidden field. We emptied it; please press “Send” again. Nothing was sent yet."
        )
    elif seal is not None and seal.age > seals.MOST:
        sentence = _(
            "This form was open for a long time. Please look through it and press “Send” again. Nothing was sent yet."
        )
    form.form_errors.append(sentence)
    form.website.data = ""
    return _shown(_sealed(form, seal), status=422)


def _only_for_adults(form: InquiryForm) -> ResponseReturnValue:
    """The stop page: nothing of the form is kept here; who only forgot the box takes everything along back."""
    kept = {name: value for name, value in form.typed().items() if value}
    kept |= {name: form[name].data or "" for name in ("submission_key", "claim_token", "began")}
    return make_response(
        render_template(
            "partner/stop.html", form=form, kept=kept, action=_address(form), uploaded=_sent_a_file()
        ),
        422,
    )


def _sent_a_file() -> bool:
    return any(upload.filename for upload in request.files.getlist("attachment"))


def _in_the_other_language(
    form_class: type[InquiryForm], department: Department, seal: Seal | None
) -> ResponseReturnValue:
    """The same form, with everything typed and the file, in the other language."""
    problem: Refused | None = None
    if seal is not None and not request.form.get("website"):
        try:
            problem = uploads.take(seal.claim_token, department_id=department.id, purpose="inquiry")
        except (TooMany, Unavailable) as refusal:
            problem = refusal
    wanted = request.form["switch_lang"]
    if wanted in LANGUAGES and wanted != g.lang:
        g.lang = wanted
        refresh()
    form = _sealed(form_class(department), seal)
    if isinstance(problem, Invalid):
        form.refuse(problem)
    elif problem is not None:
        form.form_errors.append(problem.message)
    return _shown(form)


def _put_off(form: InquiryForm, refusal: TooMany | Unavailable) -> ResponseReturnValue:
    """The form again with everything in it, and above it why it cannot be taken just now."""
    form.form_errors.append(
        refusal.message or _("Just now the portal cannot do this. Please try again in a few minutes.")
    )
    response = _shown(form, status=refusal.status)
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _sealed(form: InquiryForm, seal: Seal | None) -> InquiryForm:
    """A form that is shown again keeps its seal; an old one begins anew, a false one is replaced."""
    if seal is None:
        seals.put(form, FORM)
    elif seal.age > seals.MOST:
        seals.renew(form, FORM, seal)
    return form


def _address(form: InquiryForm, lang: str | None = None) -> str:
    return url_for("partner.inquire", lang=lang or g.lang, dept=form.department.slug, track=form.track.value)


def _shown(form: InquiryForm, *, status: int = 200, draft: bool = False) -> Response:
    for shown in form:
        # What no page may hold is left out of what is shown again.
        if isinstance(shown.data, str):
            shown.data = harmless(shown.data)
        shown.raw_data = [
            harmless(value) if isinstance(value, str) else value for value in shown.raw_data or []
        ]
    other = "en" if g.lang == "zh" else "zh"
    settings = form.department.settings
    return make_response(
        render_template(
            "partner/inquire.html",
            form=form,
            offer=settings.tracks.of(form.track),
            track=form.track,
            action=_address(form),
            other=other,
            other_action=_address(form, other),
            uploaded=files.pending(form.claim_token.data or ""),
            file_help=_file_help(form),
            start_help=_start_help(form),
            answer_days=settings.service_levels.first_answer_days,
            warnings=form.warnings() if request.method == "POST" else [],
            draft=draft,
        ),
        status,
    )


def _file_help(form: InquiryForm) -> str:
    size = uploads.most_bytes() // (1024 * 1024)
    if form.track is Track.COOPERATION:
        return _("PDF, two pages if you can, at most %(size)s MB.", size=size)
    return _("PDF, at most %(size)s MB.", size=size)


def _start_help(form: InquiryForm) -> str:
    """The dates to know before one names a month."""
    if form.track is Track.VISIT:
        return _(
            "Year and month, for example 2027-03. Most visits that need a visa take 3 to 4 months to prepare."
        )
    settings, today = form.department.settings, clock.today(form.department.timezone)
    turns = []
    for window in settings.windows:
        year = today.year if window.closes_in(today.year) >= today else today.year + 1
        first, last = format_day(window.opens_in(year), g.lang), format_day(window.closes_in(year), g.lang)
        turns.append(
            _(
                "%(term)s: applications from %(first)s to %(last)s.",
                term=window.name.get(g.lang),
                first=first,
                last=last,
            )
        )
    return " ".join(
        [_("Year and month, for example 2027-09. The university decides in its own windows."), *turns]
    )


# -- drafts --------------------------------------------------------------------------------------------------------


@bp.get("/<any(en,zh):lang>/draft/<token>")
@public
def draft(token: str) -> ResponseReturnValue:
    """A saved form, filled in as it was."""
    found = inquiries.find_draft(token)
    department = g.department = found.department
    data = {name: str(value) for name, value in found.data.items()}
    key = data.pop("submission_key")
    form = FORMS[found.track](department, typed=MultiDict(data))
    seals.place(form, FORM, Seal(key, found.claim_token or "", clock.now()))
    return _shown(form, draft=True)


@bp.get("/<any(en,zh):lang>/saved/<ticket>")
@public
def saved(ticket: str) -> ResponseReturnValue:
    """The draft is kept; its link is on the way."""
    content = opened_ticket("draft", ticket)
    g.department = departments.by_slug(content["dept"])
    return render_template("partner/saved.html", email=content["email"], until=clock.parse(content["until"]))


# -- after sending -------------------------------------------------------------------------------------------------

#: For so long the page after sending shows the whole address, so that a slip of the pen is seen.
ADDRESS_SHOWN = timedelta(hours=1)


@bp.route("/<any(en,zh):lang>/sent/<ticket>", methods=["GET", "POST"])
@public
def sent(ticket: str) -> ResponseReturnValue:
    """Sent: the reference, and what to do now. POST puts a mistyped address right, for a while."""
    inquiry = partner.by_id(opened_ticket("sent", ticket)["id"])
    g.department = inquiry.department
    fresh = inquiry.status is Status.UNCONFIRMED and clock.now() - inquiry.submitted_at < ADDRESS_SHOWN
    form, status = CorrectionForm(), 200
    if fresh and request.method == "POST":
        status = 422
        if form.validate():
            try:
                with unit_of_work():
                    submission.correct_email(partner.by_id(inquiry.id), str(form.email.data), by=visitor())
                return redirect(url_for(".sent", ticket=ticket), code=303)
            except Refused as refusal:
                form.email.errors = [
                    refusal.message or _("Just now this cannot be done. Please try again later.")
                ]
                status = refusal.status
    elif request.method == "POST":
        return redirect(url_for(".sent", ticket=ticket), code=303)
    soon = None
    if inquiry.track is Track.VISIT:
        soon = start_is_soon(
            inquiry.department, inquiry.answers.get("preferred_start"), inquiry.answers.get("visitor_type")
        )
    page = render_template(
        "partner/sent.html",
        form=form,
        fresh=fresh,
        inquiry=inquiry,
        waiting=inquiry.status is Status.UNCONFIRMED,
        email=inquiry.email if fresh else masked(inquiry.email),
        until=inquiry.submitted_at + submission.KEPT,
        soon=soon,
    )
    return page, status


def ticket_of(inquiry: Inquiry) -> str:
    """What the address of the page after sending carries: ours alone can be made, and the same one each time."""
    return seals.signer("sent").dumps({"id": inquiry.id})


def opened_ticket(purpose: str, ticket: str) -> dict[str, Any]:
    """What a ticket of ours says.

    :raises NotFound: it is not ours, or was made for something else.
    """
    try:
        content = seals.signer(purpose).loads(ticket)
    except BadSignature:
        raise NotFound from None
    if not isinstance(content, dict):
        raise NotFound
    return content


def masked(email: str) -> str:
    """An address one recognises and nobody else learns: ``m…@example.org``."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


@bp.errorhandler(CSRFError)
def _old_page(error: CSRFError) -> Response:
    """A form that was open too long, or whose cookie is gone, comes back as it was, ready to be sent again."""
    values = request.view_args or {}
    if request.endpoint == "partner.inquire" and "dept" in values:
        department = g.department = departments.by_slug(values["dept"])
        form = FORMS[Track(values["track"])](department)
        form.website.data = ""
        form.form_errors.append(
            _(
                "This page was open too long, or cookies are switched off. "
                "Please press “Send” again. Nothing was sent yet."
            )
        )
        return _shown(_sealed(form, seals.read(form, FORM)), status=400)
    return error_page(
        400, _("This page was open too long or was opened elsewhere. Go back, reload it and send it again.")
    )
