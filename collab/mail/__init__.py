"""The mail room: the outbox, how a mail is written, how it leaves.

``enqueue`` puts a mail into the outbox in the transaction of what it tells of; the worker claims it with a lease,
delivers it and says how that went. With no SMTP server set mails stay in the outbox, where staff can read them.
The mail room knows no inquiries: what a mail is about is a kind and an id.
"""

from collab.mail.actions import (
    Letter,
    anything_due,
    cancel,
    claim,
    enqueue,
    mark_failed,
    mark_sent,
    put_back,
    release,
    release_leases,
    renew,
    retry,
    rewrite,
)
from collab.mail.compose import LANGUAGES, LINE_BETWEEN, Composed, compose, paragraphs
from collab.mail.delivery import Postman
from collab.mail.models import MailState, OutboxMail, Reader
from collab.mail.queries import by_id, failed_since, of, oldest_waiting, outbox, piles, readable

__all__ = [
    "LANGUAGES",
    "LINE_BETWEEN",
    "Composed",
    "Letter",
    "MailState",
    "OutboxMail",
    "Postman",
    "Reader",
    "anything_due",
    "by_id",
    "cancel",
    "claim",
    "compose",
    "enqueue",
    "failed_since",
    "mark_failed",
    "mark_sent",
    "of",
    "oldest_waiting",
    "outbox",
    "paragraphs",
    "piles",
    "put_back",
    "readable",
    "release",
    "release_leases",
    "renew",
    "retry",
    "rewrite",
]
