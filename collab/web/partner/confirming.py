"""The links of the mails: each opens a page with a button, and only the button does something.

Mail filters follow links, some even run scripts; they press no buttons. The pages before the button look the same for
every token, so that asking them tells nothing.
"""

from datetime import timedelta

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import departments, inquiries
from collab.core import limits, site
from collab.core.db import unit_of_work
from collab.core.errors import NotFound, TooMany
from collab.inquiries import LinkKind, links, partner
from collab.inquiries.conversation import request_link
from collab.web.access import public, visitor
from collab.web.network import client_network
from collab.web.partner import bp, own_session, seals
from collab.web.partner.forms import ButtonForm, LinkForm
from collab.web.partner.inquiring import masked, opened_ticket

#: How many links that lead nowhere one network may try in an hour.
WRONG_LINKS_AN_HOUR = 30


@bp.route("/<any(en,zh):lang>/confirm/<token>", methods=["GET", "POST"])
@public
def confirm(token: str) -> ResponseReturnValue:
    """Confirm the e-mail: GET shows a button, POST confirms."""
    form = ButtonForm()
    g.department = departments.only()
    if not form.validate_on_submit():
        return render_template("partner/confirm.html", form=form)
    try:
        with unit_of_work():
            inquiry, _first = inquiries.confirm(token, by=visitor())
            ticket = seals.signer("receipt").dumps({"id": inquiry.id})
    except NotFound as refusal:
        _count_wrong_link()
        return render_template(
            "partner/gone.html", form=LinkForm(formdata=None), message=refusal.message
        ), 404
    return redirect(url_for(".receipt", ticket=ticket), code=303)


@bp.get("/<any(en,zh):lang>/received/<ticket>")
@public
def receipt(ticket: str) -> ResponseReturnValue:
    """Confirmed: the reference, and the day by which a person answers."""
    inquiry = partner.by_id(opened_ticket("receipt", ticket)["id"])
    g.department = inquiry.department
    return render_template(
        "partner/receipt.html",
        inquiry=inquiry,
        email=masked(inquiry.email),
        promised=inquiries.clocks.promised_answer(inquiry),
    )


@bp.route("/<any(en,zh):lang>/i/<token>", methods=["GET", "POST"])
@public
def open_link(token: str) -> ResponseReturnValue:
    """The private link: GET shows a button, POST opens the page for this browser and leaves the token behind."""
    form = ButtonForm()
    g.department = departments.only()
    if not form.validate_on_submit():
        return render_template("partner/open.html", form=form)
    with unit_of_work():
        link = links.find(LinkKind.PRIVATE, token)
        reference, secret = "", ""
        if link is not None:
            inquiry = partner.by_id(link.inquiry_id)
            reference = inquiry.reference
            secret = links.open_session(inquiry, minutes=60 * site.settings().partner_session_hours)
    if not secret:
        _count_wrong_link()
        message = _("This link does not work any more: it is too old, or a newer one replaced it.")
        return render_template("partner/gone.html", form=LinkForm(formdata=None), message=message), 404
    response = redirect(url_for(".my", reference=reference), code=303)
    own_session.remember(response, reference, secret)
    return response


@bp.route("/<any(en,zh):lang>/link", methods=["GET", "POST"])
@public
def link() -> ResponseReturnValue:
    """A new private link by reference and e-mail; the answer is the same whether the two belong together or not."""
    form = LinkForm()
    g.department = departments.only()
    if request.method == "GET":
        return render_template("partner/link.html", form=form)
    if not form.validate_on_submit():
        return render_template("partner/link.html", form=form), 422
    try:
        with unit_of_work():
            request_link(str(form.reference.data), str(form.email.data), by=visitor())
    except TooMany as refusal:
        form.form_errors.append(_("Many links were asked for. Please wait a little and try again."))
        return (
            render_template("partner/link.html", form=form),
            429,
            {"Retry-After": str(refusal.retry_after)},
        )
    return redirect(url_for(".link_sent"), code=303)


@bp.get("/<any(en,zh):lang>/link/sent")
@public
def link_sent() -> ResponseReturnValue:
    """Asked for a link."""
    g.department = departments.only()
    return render_template("partner/link_sent.html")


def _count_wrong_link() -> None:
    """Whoever tries links at random is slowed down; who has a right one is not."""
    with unit_of_work():
        limits.hit(f"wrong-link:{client_network()}", limit=WRONG_LINKS_AN_HOUR, per=timedelta(hours=1))
