"""The secret links partners get by mail, and the sessions they open. Only digests are kept."""

from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa

from collab.core import clock, tokens
from collab.core.db import connection, db
from collab.core.wording import format_day
from collab.inquiries.models import Draft, Inquiry, Link, LinkKind, PartnerSession

#: How long a link works. Links that open a partner's page live as long as an inquiry usually does.
LIFETIME = {LinkKind.CONFIRM: timedelta(days=7), LinkKind.PRIVATE: timedelta(days=120)}
#: How long an unfinished form is kept.
DRAFT_LASTS = timedelta(days=7)
_LINK = sa.insert(cast(sa.Table, Link.__table__))


def issue(inquiry: Inquiry, kind: LinkKind) -> str:
    """A new secret for a link; earlier ones of the same kind keep working until they expire or are renewed."""
    token = tokens.new_token()
    now = clock.now()
    link = {"digest": tokens.digest(kind, token), "inquiry_id": inquiry.id, "kind": kind}
    connection().execute(_LINK, {**link, "created_at": now, "expires_at": now + LIFETIME[kind]})
    return token


def renew(token: str) -> dict[str, str] | None:
    """A fresh secret in the place of one that stands in a mail not sent yet, if less than half its life is left (F04).

    The old one is dead at once: nobody has read it. Of a link that was made dead on purpose nothing is renewed, nor of
    one that was used.

    :returns: what to put in the place of what in the mail; ``None`` when nothing has to change.
    """
    now = clock.now()
    kinds = {tokens.digest(kind, token): kind for kind in LinkKind}
    link = db.session.scalar(sa.select(Link).where(Link.digest.in_(kinds)))
    if link is None or link.revoked_at is not None or link.used_at is not None:
        return None
    if link.expires_at - now >= LIFETIME[link.kind] / 2:
        return None
    inquiry = db.session.get_one(Inquiry, link.inquiry_id)
    fresh = issue(inquiry, link.kind)
    link.revoked_at = now
    return {token: fresh}


def renew_draft(token: str) -> dict[str, str] | None:
    """The same for the link to an unfinished form, which is kept as long again; the mail names the day."""
    now = clock.now()
    draft = db.session.scalar(sa.select(Draft).filter_by(digest=tokens.digest("draft", token)))
    if draft is None or draft.expires_at - now >= DRAFT_LASTS / 2:
        return None
    fresh, old, until = tokens.new_token(), draft.expires_at, now + DRAFT_LASTS
    draft.digest, draft.expires_at = tokens.digest("draft", fresh), until
    zone = draft.department.timezone
    days = {
        format_day(old, lang, timezone=zone): format_day(until, lang, timezone=zone) for lang in ("en", "zh")
    }
    return {token: fresh, **days}


def live(kind: LinkKind, now: datetime) -> sa.ColumnElement[bool]:
    """Whether an inquiry has a link of a kind that can still be used; for filters."""
    return sa.exists(
        sa.select(sa.literal(1)).where(
            Link.inquiry_id == Inquiry.id,
            Link.kind == kind,
            Link.revoked_at.is_(None),
            Link.expires_at > now,
        )
    )


def revoke_all(inquiry: Inquiry, kind: LinkKind) -> None:
    """No link of this kind opens anything any more."""
    db.session.execute(
        sa.update(Link)
        .where(Link.inquiry_id == inquiry.id, Link.kind == kind, Link.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def find(kind: LinkKind, token: str) -> Link | None:
    """The link a secret belongs to, if it is of this kind, not expired and not revoked."""
    if not 20 <= len(token) <= 128 or not token.isascii():
        return None
    link = db.session.get(Link, tokens.digest(kind, token))
    if link is None or link.kind is not kind or link.revoked_at is not None or link.expires_at <= clock.now():
        return None
    return link


def open_session(inquiry: Inquiry, *, minutes: int) -> str:
    """Let a browser in to one inquiry; returns the secret for its cookie."""
    token = tokens.new_token()
    now = clock.now()
    db.session.add(
        PartnerSession(
            digest=tokens.digest("partner-session", token),
            inquiry_id=inquiry.id,
            created_at=now,
            expires_at=now + timedelta(minutes=minutes),
        )
    )
    return token


def session_of(token: str, reference: str) -> Inquiry | None:
    """The inquiry a browser was let in to, if it is the one asked for and the session lives.

    Of one that was joined with another it is the original: both references lead to the one page.
    """
    if not 20 <= len(token) <= 128 or not token.isascii():
        return None
    inquiry = db.session.scalar(
        sa.select(Inquiry)
        .join(PartnerSession, PartnerSession.inquiry_id == Inquiry.id)
        .where(
            PartnerSession.digest == tokens.digest("partner-session", token),
            PartnerSession.ended_at.is_(None),
            PartnerSession.expires_at > clock.now(),
            Inquiry.reference == reference,
            Inquiry.anonymised_at.is_(None),
        )
    )
    if inquiry is None or inquiry.merged_into_id is None:
        return inquiry
    original = db.session.get_one(Inquiry, inquiry.merged_into_id)
    return original if original.anonymised_at is None else None


def end_session(token: str) -> None:
    """Close the partner's page in this browser."""
    db.session.execute(
        sa.update(PartnerSession)
        .where(PartnerSession.digest == tokens.digest("partner-session", token))
        .values(ended_at=clock.now())
    )


def end_all_sessions(inquiry: Inquiry) -> None:
    """Close the partner's page in every browser."""
    db.session.execute(
        sa.update(PartnerSession)
        .where(PartnerSession.inquiry_id == inquiry.id, PartnerSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )
