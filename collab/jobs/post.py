"""Emptying the outbox: claim with a lease, send, note how it went."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog

from collab import accounts, mail
from collab.core import clock, site
from collab.core.db import TryAgain, db, unit_of_work
from collab.core.errors import Unavailable
from collab.inquiries import links
from collab.jobs.rounds import retrying
from collab.mail import Letter, MailState, Postman

#: So long after it was written nothing in a mail is old: the shortest life of a link is half an hour.
FRESH = timedelta(minutes=10)
#: How each room makes a fresh link of its own for one that has grown old in the outbox.
RENEW: tuple[Callable[[str], dict[str, str] | None], ...] = (
    links.renew,
    links.renew_draft,
    accounts.renew_invitation,
    accounts.renew_reset,
)
log = structlog.get_logger("collab.mail")
BATCH = 20
#: After so many seconds the other jobs have their turn; what was claimed and not begun is given back.
ROUND_SECONDS = 5.0
#: So long we insist on noting that a mail was sent: a forgotten note is a second mail.
NOTE_SECONDS = 30.0


def deliver_due(worker_id: str, *, stop: Callable[[], bool] = lambda: False) -> int:
    """One round: returns how many mails left, or failed, or were put off.

    :param stop: asked before each mail; when it says so, the mail in hand is finished and the rest given back.
    """
    settings = site.settings()
    if not settings.sends_mail or not mail.anything_due():
        return 0
    lease = timedelta(seconds=2 * settings.smtp_timeout + 20)
    letters = retrying(lambda: mail.claim(BATCH, worker_id, lease=lease))
    began = leased = time.monotonic()
    handled = 0
    with Postman(settings) as postman:
        while letters:
            if stop() or time.monotonic() - began > ROUND_SECONDS:
                break
            letter = letters.pop(0)
            if time.monotonic() - leased > lease.total_seconds() - 2 * settings.smtp_timeout - 5:
                mine = retrying(partial(mail.renew, letter, worker_id, lease=lease))
                if not mine:
                    continue
            handled += 1
            ready = _with_live_links(letter, worker_id)
            if ready is None:
                continue
            if _one(ready, postman, worker_id):
                # The server itself is the trouble: the others would fare no better, and wait as long.
                for other in letters:
                    _note(partial(_fail, other, worker_id, "The mail server cannot be used.", False, True))
                return handled + len(letters)
    for letter in letters:
        retrying(partial(mail.put_back, letter, worker_id))
    return handled


def _with_live_links(letter: Letter, worker_id: str) -> Letter | None:
    """Renew what would be dead, or nearly, when the mail is read; it may have waited long for its server (F04).

    :returns: the mail as it is to be sent; ``None`` when it is not ours to send any more.
    """
    if not letter.secrets or clock.now() - letter.created_at < FRESH:
        return letter
    try:
        return retrying(partial(_renewed, letter, worker_id))
    except Unavailable:
        raise
    except Exception:  # a link that cannot be renewed must not keep the mail back
        db.session.rollback()
        log.exception("link_not_renewed", mail=letter.id)
        return letter


def _renewed(letter: Letter, worker_id: str) -> Letter | None:
    if mail.rewrite(letter, worker_id, {}) is None:
        return None
    words: dict[str, str] = {}
    for secret in letter.secrets:
        for renew in RENEW:
            words |= renew(secret) or {}
    return mail.rewrite(letter, worker_id, words) if words else letter


def _one(letter: Letter, postman: Postman, worker_id: str) -> bool:
    """Send one mail and note it; true when the server is the trouble."""
    try:
        failure = postman.deliver(letter)
    except Exception as error:  # a mail that breaks our own code is parked, and the queue goes on
        log.exception("mail_parked", mail=letter.id)
        reason = f"The mail cannot be handled ({type(error).__name__})."
        _note(lambda: _fail(letter, worker_id, reason, True, False))
        return False
    if failure is None:
        _note(lambda: mail.mark_sent(letter, worker_id))
        log.info("mail_sent", mail=letter.id, topic=letter.topic, attempt=letter.attempts)
        return False
    state = _note(lambda: _fail(letter, worker_id, failure.error, failure.permanent, failure.server))
    level = log.error if state is MailState.FAILED or failure.server else log.warning
    level(
        "mail_failed",
        mail=letter.id,
        topic=letter.topic,
        attempt=letter.attempts,
        error=failure.error,
        state=state,
    )
    return failure.server


def _fail(letter: Letter, worker_id: str, error: str, permanent: bool, server: bool) -> MailState | None:
    return mail.mark_failed(letter, worker_id, error=error, permanent=permanent, server=server)


def _note(note: Callable[[], MailState | None]) -> MailState | None:
    ends = time.monotonic() + NOTE_SECONDS
    while True:
        try:
            with unit_of_work():
                return note()
        except (Unavailable, TryAgain):
            db.session.remove()
            if time.monotonic() > ends:
                raise
            time.sleep(0.5)
