"""The secret links partners get by mail, and the sessions they open. Only digests are kept."""

from datetime import timedelta

import sqlalchemy as sa

from collab.core import clock, tokens
from collab.core.db import db
from collab.inquiries.models import Inquiry, Link, LinkKind, PartnerSession

#: How long a link works. Links that open a partner's page live as long as an inquiry usually does.
LIFETIME = {LinkKind.CONFIRM: timedelta(days=7), LinkKind.PRIVATE: timedelta(days=120)}


def issue(inquiry: Inquiry, kind: LinkKind) -> str:
    """A new secret for a link; earlier ones of the same kind keep working until they expire or are renewed."""
    token = tokens.new_token()
    now = clock.now()
    db.session.add(
        Link(
            digest=tokens.digest(kind, token),
            inquiry_id=inquiry.id,
            kind=kind,
            created_at=now,
            expires_at=now + LIFETIME[kind],
        )
    )
    return token


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
    """The inquiry a browser was let in to, if it is the one asked for and the session lives."""
    if not 20 <= len(token) <= 128 or not token.isascii():
        return None
    return db.session.scalar(
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
