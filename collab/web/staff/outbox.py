"""The outbox: every mail can be read, tried again, cancelled. With no mail server its links are usable here."""

import re
from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import mail
from collab.accounts.permissions import Permission, departments_where, may
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, Invalid, NotFound
from collab.core.text import HiddenCharacters, clean_line
from collab.desk import digest
from collab.inquiries import blind, queries
from collab.mail import MailState, OutboxMail
from collab.web.access import actor, requires
from collab.web.staff import bp, mail_kinds

_TOPIC = re.compile(r"[A-Za-z0-9_.:-]{1,40}")


@bp.get("/outbox")
@requires(Permission.SEE_OUTBOX)
def outbox() -> ResponseReturnValue:
    """Mails of this person's departments, newest first."""
    who = actor()
    mine = departments_where(who, Permission.SEE_OUTBOX)
    state, topic, q = _filters()
    closed = ("inquiry", queries.never_named_to(who))
    try:
        page = mail.outbox(
            mine,
            state=state,
            topic=topic or None,
            text=q,
            after=request.args.get("after") or None,
            portal_mails=who.is_admin,
            without=closed,
        )
    except Invalid:
        abort(400)
    here: dict[str, Any] = {"state": state, "topic": topic or None, "q": q or None}
    counts, topics = mail.piles(mine, portal_mails=who.is_admin, without=closed)
    about = [one.about_id for one in page.rows if _about_inquiry(one)]
    references = queries.references(about, seen_by=who)
    return render_template(
        "staff/outbox.html",
        mails=page.rows,
        references=references,
        newer=url_for(".outbox", **here, after=page.newer) if page.newer else None,
        older=url_for(".outbox", **here, after=page.older) if page.older else None,
        counts=counts,
        topics=topics,
        states=list(MailState),
        state=state,
        topic=topic,
        q=q,
        kind=mail_kinds.kind_of,
    )


def _filters() -> tuple[MailState | None, str, str]:
    state, topic = request.args.get("state", ""), request.args.get("topic", "")
    if (state and state not in set(MailState)) or (topic and not _TOPIC.fullmatch(topic)):
        abort(400)
    try:
        q = clean_line(request.args.get("q", ""))
    except HiddenCharacters:
        abort(400)
    if len(q) > 200:
        abort(400)
    return (MailState(state) if state else None), topic, q


@bp.get("/outbox/<int:mail_id>")
@requires(Permission.SEE_OUTBOX)
def outbox_mail(mail_id: int) -> ResponseReturnValue:
    """One mail as it went, or will go."""
    one = _mail(mail_id, Permission.SEE_OUTBOX)
    text, _html = mail.readable(one)
    department_id = one.department_id
    manages = (
        may(actor(), Permission.MANAGE_OUTBOX, department_id)
        if department_id is not None
        else actor().is_admin
    )
    references = queries.references([one.about_id] if _about_inquiry(one) else [], seen_by=actor())
    return render_template(
        "staff/mail.html",
        mail=one,
        kind=mail_kinds.kind_of(one.topic),
        lines=[_linked(line) for line in text.splitlines()] if _is_readable(one) else None,
        manages=manages,
        reference=references.get(one.about_id or 0),
        states=MailState,
    )


@bp.post("/outbox/<int:mail_id>/retry")
@requires(Permission.MANAGE_OUTBOX)
def outbox_retry(mail_id: int) -> ResponseReturnValue:
    """Try a mail again that was given up or cancelled."""

    def again(one: OutboxMail) -> None:
        if (
            one.about_id is not None
            and _about_inquiry(one)
            and one.id in queries.taken_back_mails(one.about_id)
        ):
            raise Conflict(_("This letter was taken back; it must not go out any more."))
        mail.retry(one)

    return _change(mail_id, again, _("It is tried again at once."))


@bp.post("/outbox/<int:mail_id>/cancel")
@requires(Permission.MANAGE_OUTBOX)
def outbox_cancel(mail_id: int) -> ResponseReturnValue:
    """Do not send a mail that has not left yet."""

    def stop(one: OutboxMail) -> None:
        if one.state is MailState.HELD:
            raise Conflict(
                _("This letter belongs to a step. Take the step back on the inquiry's page instead.")
            )
        mail.cancel(one)

    return _change(mail_id, stop, _("It will not be sent."))


def _change(mail_id: int, verb: Callable[[OutboxMail], object], done: str) -> ResponseReturnValue:
    one = _mail(mail_id, Permission.MANAGE_OUTBOX)
    try:
        with unit_of_work():
            verb(one)
    except Conflict as refusal:
        flash(refusal.message or _("Its state changed in the meantime. Look again."), "warning")
    else:
        flash(done, "success")
    return redirect(url_for(".outbox_mail", mail_id=mail_id), code=303)


def _mail(mail_id: int, permission: Permission) -> OutboxMail:
    who = actor()
    one = mail.by_id(mail_id, departments_where(who, permission), portal_mails=who.is_admin)
    about = [one.about_id] if one.about_kind == "inquiry" and one.about_id is not None else []
    if queries.closed_to(who, about) or blind.among(about, who):
        raise NotFound  # a declared conflict closes the mails too, and they say whose an inquiry is that is read blind
    return one


def _is_readable(one: OutboxMail) -> bool:
    """A digest speaks of many inquiries, some of which may be closed to others: its text is its reader's alone."""
    return one.topic != digest.TOPIC or one.about_id == actor().user_id


def _about_inquiry(one: OutboxMail) -> bool:
    return one.about_kind == "inquiry" and one.about_id is not None


_LINK = re.compile(r"https?://[^\s<>\"]+")


def _linked(line: str) -> list[tuple[str, bool]]:
    """A line of a mail in pieces: text, and addresses of this portal that can be followed."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    own = request.host_url
    for match in _LINK.finditer(line):
        pieces += [(line[end : match.start()], False), (match.group(), match.group().startswith(own))]
        end = match.end()
    return [*pieces, (line[end:], False)]
