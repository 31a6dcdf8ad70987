"""The partner's own page: where the inquiry stands, what was said, and all the partner can do about it."""

import json
from functools import partial
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import files, inquiries, privacy, reviews
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, Invalid, Refused
from collab.inquiries import Inquiry, Status, conversation, moving, partner, questions
from collab.inquiries.models import TransferState
from collab.web.access import partner_page, visitor
from collab.web.downloads import disposition, download_response
from collab.web.hooks import language
from collab.web.partner import bp, own_session, seals, uploads
from collab.web.partner.forms import AnswerForm, ButtonForm, LinkForm, harmless


@bp.get("/<any(en,zh):lang>/my/<reference>")
@partner_page
def my(reference: str) -> ResponseReturnValue:
    """The page."""
    inquiry = own_session.inquiry_of(reference)
    form = AnswerForm(formdata=None)
    seals.put(form, _purpose(inquiry))
    return _page(inquiry, form, reference)


@bp.route("/<any(en,zh):lang>/my/<reference>/answer", methods=["GET", "POST"])
@partner_page
def answer(reference: str) -> ResponseReturnValue:
    """Answer a question or add information, with files."""
    inquiry = own_session.inquiry_of(reference)
    if request.method == "GET":
        return _back(reference)
    form, purpose = AnswerForm(), _purpose(inquiry)
    seal = seals.read(form, purpose)
    if seal is None:
        seals.put(form, purpose)
        form.form_errors.append(
            _("Please look through your message and press “Send” again. Nothing was sent yet.")
        )
        return _page(inquiry, form, reference, status=422)
    if "remove_file" in request.form:
        uploads.remove(seal.claim_token, request.form["remove_file"])
        return _page(own_session.inquiry_of(reference), form, reference)
    try:
        problem = uploads.take(
            seal.claim_token,
            department_id=inquiry.department_id,
            purpose="answer",
            allowed=uploads.KINDS,
            most=uploads.FILES_PER_MESSAGE,
        )
        valid = form.validate()
        if problem is not None:
            form.refuse(problem)
        if not valid or problem is not None:
            return _page(own_session.inquiry_of(reference), form, reference, status=422)
        with unit_of_work():
            files.keep_newest(seal.claim_token, uploads.FILES_PER_MESSAGE, wait=True)
            inquiries.answer(
                own_session.inquiry_of(reference),
                str(form.body.data),
                claim_token=seal.claim_token,
                submission_key=seal.submission_key,
                by=visitor(),
            )
    except Invalid as refusal:
        form.refuse(refusal)
        return _page(own_session.inquiry_of(reference), form, reference, status=refusal.status)
    except own_session.PageClosed:
        raise
    except Refused as refusal:
        form.form_errors.append(
            refusal.message or _("Just now the portal cannot take this. Please try again in a few minutes.")
        )
        return _page(own_session.inquiry_of(reference), form, reference, status=refusal.status)
    flash(_("Thank you. Your message has arrived."), "success")
    return _back(reference)


@bp.route("/<any(en,zh):lang>/my/<reference>/withdraw", methods=["GET", "POST"])
@partner_page
def withdraw(reference: str) -> ResponseReturnValue:
    """Withdraw, after a page that says what that means."""
    inquiry = own_session.inquiry_of(reference)
    form = ButtonForm()
    if not form.validate_on_submit():
        if not partner.possible(inquiry, now=clock.now()).withdraw:
            return _back(reference)
        return render_template(
            "partner/withdraw.html",
            inquiry=inquiry,
            address_of=reference,
            form=form,
            days=inquiries.rules.UNDO_DAYS,
        )
    return _do(reference, inquiries.withdraw, _("Your inquiry is withdrawn."))


@bp.post("/<any(en,zh):lang>/my/<reference>/resume")
@partner_page
def resume(reference: str) -> ResponseReturnValue:
    """Take the withdrawal back."""
    return _do(reference, inquiries.resume, _("Your inquiry is in our queue again."))


@bp.post("/<any(en,zh):lang>/my/<reference>/interested")
@partner_page
def interested(reference: str) -> ResponseReturnValue:
    """Still interested: on the waiting list, or in the place that was offered."""
    shown = inquiries.rules.shown_status(own_session.inquiry_of(reference), now=clock.now())
    return _do(
        reference,
        conversation.still_interested,
        _("Thank you. You stay on the waiting list.")
        if shown is Status.WAITLISTED
        else _("Thank you. The department decides now."),
    )


@bp.post("/<any(en,zh):lang>/my/<reference>/more-time")
@partner_page
def more_time(reference: str) -> ResponseReturnValue:
    """More time before an offer is answered, once."""
    return _do(reference, conversation.more_time, _("You have more time now. The new date stands above."))


@bp.route("/<any(en,zh):lang>/my/<reference>/erase", methods=["GET", "POST"])
@partner_page
def erase(reference: str) -> ResponseReturnValue:
    """Ask for erasure, after a page that says what that means."""
    inquiry = own_session.inquiry_of(reference)
    form = ButtonForm()
    if not form.validate_on_submit():
        if not partner.possible(inquiry, now=clock.now()).erase:
            return _back(reference)
        open_now = partner.possible(inquiry, now=clock.now()).withdraw
        return render_template(
            "partner/erase.html", inquiry=inquiry, address_of=reference, form=form, open_now=open_now
        )
    return _do(
        reference,
        inquiries.ask_for_erasure,
        _("We have your request. Your data are erased within 30 days; you get a mail."),
    )


@bp.route("/<any(en,zh):lang>/my/<reference>/moving", methods=["GET", "POST"], endpoint="moving")
@partner_page
def may_we_move(reference: str) -> ResponseReturnValue:
    """Agree that the inquiry is moved, or not: what goes along stands on the page, the file is asked for apart."""
    inquiry = own_session.inquiry_of(reference)
    form = ButtonForm()
    said = request.form.get("say")
    if form.validate_on_submit() and said in {"yes", "no"}:
        if said == "no":
            return _do(reference, moving.refuse, _("Thank you. Your inquiry stays where it is."))
        agree = partial(moving.agree, with_file="with_file" in request.form)
        return _do(reference, agree, _("Thank you. We move your inquiry and write to you."))
    transfer = moving.standing_of(inquiry)
    if transfer is None or transfer.state is not TransferState.ASKED:
        return _back(reference)
    to = transfer.to_department
    return render_template(
        "partner/moving.html",
        inquiry=inquiry,
        address_of=reference,
        form=form,
        transfer=transfer,
        to=to,
        elsewhere=to.id != inquiry.department_id,
        track=to.settings.tracks.of(transfer.to_track).title.get(language()),
        plan=moving.plan(inquiry, to, transfer.to_track),
    )


@bp.get("/<any(en,zh):lang>/my/<reference>/data.json")
@partner_page
def data(reference: str) -> ResponseReturnValue:
    """Everything the partner gave and was told, to keep."""
    inquiry = own_session.inquiry_of(reference)
    content = privacy.everything_of(inquiry, language())
    response = Response(json.dumps(content, ensure_ascii=False, indent=2) + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = disposition(f"{inquiry.reference}.json")
    return response


@bp.get("/<any(en,zh):lang>/my/<reference>/files/<int:file_id>")
@partner_page
def file(reference: str, file_id: int) -> ResponseReturnValue:
    """One of the partner's own files, or one that came with a letter."""
    inquiry = own_session.inquiry_of(reference)
    return download_response(partner.file_of(inquiry, file_id, now=clock.now()))


@bp.post("/<any(en,zh):lang>/my/<reference>/close")
@partner_page
def close(reference: str) -> ResponseReturnValue:
    """End the session in this browser."""
    response = redirect(url_for(".closed"), code=303)
    with unit_of_work():
        own_session.end(response, reference)
    return response


@bp.get("/<any(en,zh):lang>/closed")
@partner_page
def closed() -> ResponseReturnValue:
    """The page is closed."""
    return render_template("partner/closed.html", form=LinkForm(formdata=None), ended=True, typed="")


@bp.errorhandler(own_session.PageClosed)
def _closed(_error: own_session.PageClosed) -> ResponseReturnValue:
    """The same answer for a closed page, a stranger's, and none at all. What was being written is given back."""
    typed = harmless(request.form.get("body", "")) if request.method == "POST" else ""
    return render_template("partner/closed.html", form=LinkForm(formdata=None), ended=False, typed=typed), 404


def _do(reference: str, verb: Any, done: str) -> ResponseReturnValue:
    own_session.inquiry_of(reference)
    try:
        with unit_of_work():
            verb(own_session.inquiry_of(reference), by=visitor())
    except Conflict as refusal:
        flash(refusal.message or _("This is not possible any more; the inquiry has moved on."), "error")
    else:
        flash(done, "success")
    return _back(reference)


def _back(reference: str) -> ResponseReturnValue:
    return redirect(url_for(".my", reference=reference), code=303)


def _page(inquiry: Inquiry, form: AnswerForm, reference: str, *, status: int = 200) -> Response:
    now = clock.now()
    lang = language()
    stands = partner.standing(inquiry, lang, now=now)
    form.body.data = harmless(form.body.data or "")
    talk = partner.conversation(inquiry, now=now)
    return make_response(
        render_template(
            "partner/my.html",
            inquiry=inquiry,
            standing=stands,
            possible=partner.possible(inquiry, now=now),
            address_of=reference,
            talk=talk,
            joined=[(one, questions.answers(one, lang)) for one in talk.joined],
            moving=moving.standing_of(inquiry),
            answers=questions.answers(inquiry, lang),
            conditions=reviews.conditions_of(inquiry) if stands.status is Status.CONDITIONAL else [],
            form=form,
            button=ButtonForm(formdata=None),
            uploaded=files.pending(form.claim_token.data or ""),
            accept=files.accept(uploads.KINDS),
            kinds=files.kinds(uploads.KINDS),
            most_files=uploads.FILES_PER_MESSAGE,
            most_megabytes=uploads.most_bytes() // (1024 * 1024),
            now=now,
        ),
        status,
    )


def _purpose(inquiry: Inquiry) -> str:
    return f"answer.{inquiry.reference}"
