"""What can be done with a mail. Nothing here talks to a server and nothing commits."""

import re
import secrets as randomness
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from collab.core import clock, site
from collab.core.db import db
from collab.core.errors import Conflict, Invalid
from collab.mail import rules
from collab.mail.models import MailState, OutboxMail, Reader
from collab.settings import Settings

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,120}@[!-;=?-~]{1,120}>")


@dataclass(frozen=True)
class Letter:
    """A claimed mail as the delivery needs it: no row of the database, so nothing is held open while it is sent."""

    id: int
    department_id: int | None
    topic: str
    to_address: str
    to_name: str | None
    reader: Reader
    subject: str
    body_text: str
    body_html: str | None
    message_id: str
    in_reply_to: str | None
    references: tuple[str, ...]
    attempts: int
    created_at: datetime
    secrets: tuple[str, ...] = ()


def enqueue(
    topic: str,
    *,
    to: str | tuple[str | None, str],
    locale: str,
    subject: str,
    text: str,
    html: str | None = None,
    reader: Reader | str,
    department_id: int | None = None,
    about: tuple[str, int] | None = None,
    hold_until: datetime | None = None,
    in_reply_to: str | None = None,
    references: Iterable[str] = (),
    secrets: Iterable[str] = (),
    dedupe_key: str | None = None,
) -> OutboxMail:
    """Put one mail into the outbox, in the caller's transaction; it leaves after the commit, or not at all.

    :param to: an address, or name and address.
    :param about: kind and id of what it tells of; mails about the same thing to the same address keep their order.
    :param hold_until: not sent before; until then ``cancel`` takes it back without a trace outside.
    :param secrets: link tokens that stand in the text; struck out of the row once the mail was sent.
    :param dedupe_key: a second mail with the same key is not made; the first is returned.
    :raises Invalid: address, name or subject hold what must never be in a header.
    """
    if dedupe_key is not None:
        there = db.session.scalar(sa.select(OutboxMail).filter_by(dedupe_key=dedupe_key))
        if there is not None:
            return there
    name, address = to if isinstance(to, tuple) else (None, to)
    now = clock.now()
    mail = OutboxMail(
        department_id=department_id,
        topic=topic,
        about_kind=about[0] if about else None,
        about_id=about[1] if about else None,
        to_address=_address(address),
        to_name=_name(name),
        reader=Reader(reader),
        locale=locale,
        subject=_subject(subject),
        body_text=text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", ""),
        body_html=html.replace("\x00", "") if html else None,
        message_id=new_message_id(),
        in_reply_to=_message_id(in_reply_to) if in_reply_to else None,
        references=[_message_id(reference) for reference in references][-20:],
        secrets=[secret for secret in secrets if secret],
        state=MailState.HELD if hold_until is not None and hold_until > now else MailState.QUEUED,
        due_at=max(hold_until, now) if hold_until is not None else now,
        hold_until=hold_until,
        created_at=now,
        dedupe_key=dedupe_key,
    )
    db.session.add(mail)
    db.session.flush()
    return mail


def cancel(mail: OutboxMail) -> None:
    """Take a mail back that has not left.

    :raises Conflict: it was sent already, or is being sent this moment.
    """
    _lock(mail)
    if mail.state not in {MailState.HELD, MailState.QUEUED, MailState.FAILED}:
        raise Conflict(_("This mail cannot be cancelled any more."))
    mail.state = MailState.CANCELLED
    db.session.flush()


def retry(mail: OutboxMail) -> None:
    """Send a failed or waiting mail as soon as possible, as if it had never been tried; a cancelled one, too.

    :raises Conflict: it was sent already, is being sent, or is held back.
    """
    _lock(mail)
    if mail.state not in {MailState.FAILED, MailState.QUEUED, MailState.CANCELLED}:
        raise Conflict(_("This mail cannot be sent again."))
    mail.state = MailState.QUEUED
    mail.due_at = clock.now()
    mail.first_tried_at = None
    mail.attempts = 0
    db.session.flush()


def release(mail: OutboxMail) -> None:
    """Let a held mail go now, before its time.

    :raises Conflict: it is not held.
    """
    _lock(mail)
    if mail.state is not MailState.HELD:
        raise Conflict(_("This mail is not held back any more."))
    mail.state = MailState.QUEUED
    mail.due_at = clock.now()
    mail.hold_until = clock.now()
    db.session.flush()


def anything_due() -> bool:
    """Whether a claim would find something; a cheap look before a writing transaction begins."""
    return db.session.scalar(sa.select(OutboxMail.id).where(_due(clock.now())).limit(1)) is not None


def claim(batch: int, worker_id: str, *, lease: timedelta = timedelta(seconds=90)) -> list[Letter]:
    """Take mails that are due, for this worker alone, until the lease ends.

    Due is what is queued and due, what is held and whose time has come, and what another worker took and did not
    finish before its lease ended. A mail waits while an older one about the same thing to the same address is still
    on its way. On PostgreSQL rows locked by others are skipped; on SQLite the transaction is immediate.
    """
    now = clock.now()
    older = aliased(OutboxMail)
    waits = (
        sa.select(older.id)
        .where(
            older.about_kind == OutboxMail.about_kind,
            older.about_id == OutboxMail.about_id,
            older.to_address == OutboxMail.to_address,
            older.id < OutboxMail.id,
            older.state.in_([MailState.QUEUED, MailState.SENDING]),
        )
        .exists()
    )
    ids = db.session.scalars(
        sa.select(OutboxMail.id)
        .where(_due(now), ~waits)
        .order_by(OutboxMail.due_at, OutboxMail.id)
        .limit(batch)
        .with_for_update(skip_locked=True, of=OutboxMail)
    ).all()
    if not ids:
        return []
    taken = db.session.scalars(
        sa.update(OutboxMail)
        .where(OutboxMail.id.in_(ids), _due(now))
        .values(
            state=MailState.SENDING,
            lease_until=now + lease,
            leased_by=worker_id,
            attempts=OutboxMail.attempts + 1,
            first_tried_at=sa.func.coalesce(
                OutboxMail.first_tried_at, sa.literal(now, OutboxMail.first_tried_at.type)
            ),
        )
        .returning(OutboxMail),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).all()
    return sorted((_letter(mail) for mail in taken), key=lambda letter: letter.id)


def renew(letter: Letter, worker_id: str, *, lease: timedelta) -> bool:
    """Lengthen the lease of a claimed mail; false when it is not this worker's any more."""
    return _mine(letter, worker_id, lease_until=clock.now() + lease)


def rewrite(letter: Letter, worker_id: str, words: Mapping[str, str]) -> Letter | None:
    """Put other words in the place of those that stand in a claimed mail: a fresh link, a later date.

    :returns: the mail as it reads now; ``None`` when it is not this worker's any more.
    """
    mail = db.session.get(OutboxMail, letter.id, with_for_update=True, populate_existing=True)
    if mail is None or mail.state is not MailState.SENDING or mail.leased_by != worker_id:
        return None
    mail.body_text = rules.replaced(mail.body_text, words)
    mail.body_html = rules.replaced(mail.body_html, words) if mail.body_html else None
    mail.secrets = [words.get(secret, secret) for secret in mail.secrets]
    db.session.flush()
    return _letter(mail)


def put_back(letter: Letter, worker_id: str) -> None:
    """Give a claimed mail back untried."""
    _mine(
        letter,
        worker_id,
        state=MailState.QUEUED,
        lease_until=None,
        leased_by=None,
        attempts=OutboxMail.attempts - 1,
    )


def mark_sent(letter: Letter, worker_id: str) -> None:
    """The server took it: secrets are struck out, so that nobody reads a link out of the outbox.

    Said even when the lease ended meanwhile: what was sent must not be sent again.
    """
    mail = db.session.get(OutboxMail, letter.id, with_for_update=True, populate_existing=True)
    if mail is None or mail.state is MailState.SENT:
        return
    mail.state = MailState.SENT
    mail.sent_at = clock.now()
    mail.lease_until = mail.leased_by = mail.last_error = None
    mail.body_text = rules.strike(mail.body_text, mail.secrets)
    mail.body_html = rules.strike(mail.body_html, mail.secrets) if mail.body_html else None
    mail.secrets = []
    db.session.flush()


def mark_failed(
    letter: Letter, worker_id: str, *, error: str, permanent: bool, server: bool = False
) -> MailState | None:
    """It could not be sent: try again later, or give up in plain sight.

    :param error: made printable already; no passwords.
    :param server: the server is the trouble, so the next try comes sooner.
    :returns: the state it is in now; ``None`` when the mail is not this worker's any more.
    """
    mail = db.session.get(OutboxMail, letter.id, with_for_update=True, populate_existing=True)
    if mail is None or mail.state is not MailState.SENDING or mail.leased_by != worker_id:
        return None
    now = clock.now()
    again = (
        None
        if permanent
        else rules.next_try(mail.attempts, first=mail.first_tried_at or now, now=now, server=server)
    )
    mail.state = MailState.QUEUED if again else MailState.FAILED
    mail.due_at = again or now
    mail.lease_until = mail.leased_by = None
    mail.last_error = error[:500]
    db.session.flush()
    return mail.state


def release_leases(worker_id: str) -> int:
    """Give back everything a worker still holds, when it ends in good order."""
    result = db.session.execute(
        sa.update(OutboxMail)
        .where(OutboxMail.state == MailState.SENDING, OutboxMail.leased_by == worker_id)
        .values(state=MailState.QUEUED, lease_until=None, leased_by=None),
        execution_options={"synchronize_session": False},
    )
    return int(getattr(result, "rowcount", 0))


def new_message_id() -> str:
    """A fresh Message-ID at the portal's own host."""
    settings = site.settings()
    return f"<{randomness.token_hex(16)}@{host_name(settings)}>"


def host_name(settings: Settings) -> str:
    """The portal's host as a mail's right-hand side; ``localhost`` when it has only an address."""
    host = urlsplit(settings.base_url).hostname or "localhost"
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"


def _lock(mail: OutboxMail) -> None:
    # A worker may be taking it this moment: whoever has the row first, the other sees what became of it.
    db.session.refresh(mail, with_for_update=True)


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.and_(OutboxMail.state == MailState.QUEUED, OutboxMail.due_at <= now),
        sa.and_(OutboxMail.state == MailState.HELD, OutboxMail.hold_until <= now),
        sa.and_(OutboxMail.state == MailState.SENDING, OutboxMail.lease_until <= now),
    )


def _mine(letter: Letter, worker_id: str, **values: object) -> bool:
    result = db.session.execute(
        sa.update(OutboxMail)
        .where(
            OutboxMail.id == letter.id,
            OutboxMail.state == MailState.SENDING,
            OutboxMail.leased_by == worker_id,
        )
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    return getattr(result, "rowcount", 0) == 1


def _letter(mail: OutboxMail) -> Letter:
    return Letter(
        id=mail.id,
        department_id=mail.department_id,
        topic=mail.topic,
        to_address=mail.to_address,
        to_name=mail.to_name,
        reader=mail.reader,
        subject=mail.subject,
        body_text=mail.body_text,
        body_html=mail.body_html,
        message_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=tuple(mail.references),
        attempts=mail.attempts,
        created_at=mail.created_at,
        secrets=tuple(mail.secrets),
    )


def _address(address: str) -> str:
    try:
        return rules.safe_address(address)
    except rules.UnsafeHeader:
        raise Invalid("email", _("This is not one e-mail address.")) from None


def _name(name: str | None) -> str | None:
    try:
        return rules.safe_header(name.strip())[:200] or None if name else None
    except rules.UnsafeHeader:
        raise Invalid("full_name", _("This name holds characters that cannot stand in a mail.")) from None


def _subject(subject: str) -> str:
    try:
        return rules.safe_header(subject.strip())[:400]
    except rules.UnsafeHeader:
        raise Invalid("subject", _("This subject holds characters that cannot stand in a mail.")) from None


def _message_id(value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise Invalid("in_reply_to", _("This is no message id."))
    return value
