"""From the public form to the queue: drafts, sending, confirming."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import files, mail, search
from collab.accounts.actor import Actor
from collab.core import clock, limits, site, text, tokens
from collab.core.db import connection, db
from collab.core.errors import Conflict, NotFound, TooMany
from collab.departments import Department
from collab.departments.tracks import Track
from collab.files import Arrived
from collab.inquiries import clocks, likeness, links, notices, rules, signals
from collab.inquiries.history import Kind, count, move, seen, take, tell
from collab.inquiries.models import Draft, Inquiry, LinkKind, ReferenceCounter
from collab.inquiries.statuses import Status, Step

#: Unconfirmed inquiries and drafts are deleted after this time.
KEPT = timedelta(days=7)
#: How often a mistyped address can be put right.
CORRECTIONS = 3

#: A first contact takes one file; of several the newest counts.
MOST_FILES = 1

#: What all tracks share is kept in columns; the rest of a form goes into ``answers`` under its HTML names.
SHARED = frozenset(
    {
        "full_name",
        "email",
        "institution_name",
        "institution_ror",
        "country",
        "area",
        "privacy_ack",
        "attachment",
    }
)
#: Where a track's title comes from when the form has none, and its main text.
MAIN_TEXT = {Track.COOPERATION: "summary", Track.VISIT: "purpose", Track.TRAINING: "interest_statement"}


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A form that passed its checks.

    :param fields: values under the HTML names of domain.md A.1–A.4; dates and months as ISO text.
    :param submission_key: made with the form; the same key gives the same inquiry, however often it is sent.
    :param claim_token: the secret under which the form's file was uploaded, if it was before.
    :param arrived: what was uploaded with the form now, in its order.
    :param signals: what its words point to, found here: it takes a while, in which the database may serve others.
    """

    department: Department
    track: Track
    locale: str
    fields: dict[str, Any]
    submission_key: str
    claim_token: str | None = None
    arrived: tuple[Arrived, ...] = ()
    source_page: str | None = None
    is_demo: bool = False
    signals: dict[str, dict[str, Any]] | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signals", signals.find(self.department.settings, self.fields))


def submit(submission: Submission, *, by: Actor) -> Inquiry:
    """Keep an inquiry, unconfirmed, and ask its sender to confirm the e-mail (M1).

    Sent twice with the same key it is kept once: the second time the first one is returned, and no mail goes out.

    :raises TooMany: this address or network sent too many.
    """
    department, fields = submission.department, submission.fields
    now = clock.now()
    key = tokens.digest("submission", submission.submission_key)
    reference = next_reference(department)  # one by one: a twin is kept before we look, or not at all
    if connection().scalar(_TWIN, {"key": key}) is not None:
        existing = db.session.scalars(sa.select(Inquiry).filter_by(submission_key=key)).one()
        _give_back(department)
        _hold(submission.arrived, submission)
        return existing
    if not submission.is_demo:
        _limit("inquiry", fields["email"], by)
    arrived = submission.arrived[-MOST_FILES:]
    _hold(submission.arrived[:-MOST_FILES], submission)
    uploads = files.keep_newest(submission.claim_token or "", MOST_FILES - len(arrived), wait=True)
    draft = connection().scalar(_DRAFT, {"key": key})

    inquiry = Inquiry(
        department=department,
        reference=reference,
        track=submission.track,
        status=Status.UNCONFIRMED,
        locale=submission.locale,
        submission_key=key,
        full_name=fields["full_name"],
        email=fields["email"],
        email_key=fields["email"].casefold(),
        institution_name=fields["institution_name"],
        institution_ror=fields.get("institution_ror") or None,
        country=fields["country"],
        area=fields["area"],
        title=title_of(submission.track, fields),
        answers={
            name: value for name, value in fields.items() if name not in SHARED and value not in (None, "")
        },
        signals=submission.signals,
        privacy_version=department.settings.privacy.version,
        privacy_acknowledged_at=now,
        source_page=submission.source_page,
        submitted_at=now,
        status_since=now,
        is_demo=submission.is_demo,
        file_count=len(uploads) + len(arrived),
    )
    db.session.add(inquiry)
    db.session.flush()
    owner = ("inquiry", inquiry.id)
    for upload in uploads:
        files.attach(upload, owner=owner)
    for new in arrived:
        files.attach_new(new, department_id=department.id, owner=owner)
    if draft is not None:
        drop_draft(db.session.get_one(Draft, draft))
    count(department.id, {Status.UNCONFIRMED: +1})
    index(inquiry)
    tell(inquiry, Kind.SUBMITTED, by=by, to_status=Status.UNCONFIRMED)
    notices.confirm_email(inquiry, links.issue(inquiry, LinkKind.CONFIRM))
    return inquiry


def correct_email(inquiry: Inquiry, email: str, *, by: Actor) -> None:
    """The sender mistyped the address: the mail goes to the right one, and the link in the first one is dead.

    :raises Conflict: it is confirmed already.
    :raises TooMany: corrected too often, or this address or network sent too many.
    """
    take(inquiry)
    if inquiry.status is not Status.UNCONFIRMED:
        raise Conflict(_("This inquiry is confirmed already."))
    limits.hit(f"correct:{inquiry.id}", limit=CORRECTIONS, per=timedelta(days=1))
    _limit("inquiry", email, by)
    links.revoke_all(inquiry, LinkKind.CONFIRM)
    for sent in mail.of(("inquiry", inquiry.id)):
        if sent.state is mail.MailState.QUEUED:
            mail.cancel(sent)
    inquiry.email, inquiry.email_key = email, email.casefold()
    index(inquiry)
    tell(inquiry, Kind.LINK_RENEWED, by=by)
    notices.confirm_email(inquiry, links.issue(inquiry, LinkKind.CONFIRM))


def confirm(token: str, *, by: Actor) -> tuple[Inquiry, bool]:
    """The sender opened the mail's link and pressed the button: the inquiry is received (M2).

    :returns: the inquiry, and whether this was the first time; later times change nothing.
    :raises NotFound: the link is unknown or too old.
    """
    link = links.find(LinkKind.CONFIRM, token)
    inquiry = db.session.get(Inquiry, link.inquiry_id) if link else None
    if link is None or inquiry is None:
        raise NotFound(
            _("This link does not work any more. Please send your inquiry again; it takes a few minutes.")
        )
    take(inquiry)
    if inquiry.status is not Status.UNCONFIRMED:
        return inquiry, False
    link.used_at = clock.now()
    _receive(
        inquiry,
        by=Actor(kind="applicant", name=inquiry.full_name, network=by.network, request_id=by.request_id),
    )
    return inquiry, True


def confirm_as_sender(inquiry: Inquiry, *, by: Actor) -> None:
    """What the mail's button does, for sample data, which nobody gets mails for."""
    take(inquiry)
    _receive(inquiry, by=Actor(kind="applicant", name=inquiry.full_name, network=by.network))


def confirm_by_hand(inquiry: Inquiry, *, by: Actor, version: int | None = None) -> None:
    """A coordinator confirms for a sender whose mail filter lost the link."""
    take(inquiry, version=version, by=by)
    _receive(inquiry, by=by)
    seen(inquiry, by)


def _receive(inquiry: Inquiry, *, by: Actor) -> None:
    now = clock.now()
    inquiry.confirmed_at = now
    move(inquiry, Step.CONFIRM, Status.RECEIVED, by=by)
    clocks.start(inquiry, now)
    likeness.remember(inquiry)
    notices.received(inquiry)
    notices.new_in_queue(inquiry)


def title_of(track: Track, fields: dict[str, Any]) -> str:
    """The line by which staff call an inquiry: its title, or the beginning of its main text."""
    return str(fields.get("title") or text.shorten(str(fields[MAIN_TEXT[track]]), 110))


def index(inquiry: Inquiry, *, also: Iterable[Inquiry] = ()) -> None:
    """Put the inquiry's words into the search.

    :param also: what was joined with it, and is found with it.
    """
    parts = [word for one in (inquiry, *also) for word in _words(one)]
    search.index("inquiry", inquiry.id, department_id=inquiry.department_id, text="\n".join(parts))


def _words(inquiry: Inquiry) -> list[str]:
    words = [
        inquiry.reference,
        inquiry.full_name,
        inquiry.email,
        inquiry.institution_name,
        inquiry.title,
        *(str(value) for value in inquiry.answers.values() if isinstance(value, str)),
    ]
    area = inquiry.department.settings.area(inquiry.area)
    return [*words, area.name.en, area.name.zh] if area is not None else words


def by_key(key: str) -> Inquiry | None:
    """The inquiry a form with this key became, if it was sent."""
    return db.session.scalar(sa.select(Inquiry).filter_by(submission_key=tokens.digest("submission", key)))


_TWIN = sa.text("SELECT id FROM inquiry WHERE submission_key = :key")
_DRAFT = sa.text("SELECT id FROM draft WHERE submission_key = :key")
_NEXT_NUMBER = sa.text(
    "INSERT INTO reference_counter (department_id, year, last) VALUES (:department_id, :year, 1) "
    "ON CONFLICT (department_id, year) DO UPDATE SET last = reference_counter.last + 1 RETURNING last"
)


def next_reference(department: Department) -> str:
    """The next running number of the department's year; whoever asks at the same time waits."""
    year = clock.today(department.timezone).year
    number = connection().scalar(_NEXT_NUMBER, {"department_id": department.id, "year": year})
    return f"{department.code}-{year}-{number:04d}"


def _give_back(department: Department) -> None:
    """The number asked for last is not needed: the row is still ours, so nobody has the next one yet."""
    year = clock.today(department.timezone).year
    db.session.execute(
        sa.update(ReferenceCounter)
        .where(ReferenceCounter.department_id == department.id, ReferenceCounter.year == year)
        .values(last=ReferenceCounter.last - 1)
    )


def _hold(arrived: Iterable[Arrived], submission: Submission) -> None:
    """What arrived and is not attached is pending, as if it had been uploaded before."""
    for upload in arrived:
        files.hold(upload, department_id=submission.department.id, claim_token=submission.claim_token or "")


def _limit(what: str, email: str, by: Actor) -> None:
    settings = site.settings()
    try:
        address = tokens.digest("limit", rules.limit_key(email))[:32]
        limits.hit_all(
            (f"{what}:address:{address}", settings.submissions_per_address, timedelta(days=1)),
            (
                f"{what}:network:{by.network or 'unknown'}",
                settings.submissions_per_network,
                timedelta(hours=1),
            ),
        )
    except TooMany as refusal:
        raise TooMany(
            _("Many inquiries came from this address or network. Nothing was sent; please try again later."),
            retry_after=refusal.retry_after,
        ) from None


# -- drafts ------------------------------------------------------------------------------------------------------


def save_draft(
    department: Department,
    track: Track,
    *,
    locale: str,
    email: str,
    data: dict[str, Any],
    submission_key: str,
    claim_token: str | None,
    by: Actor,
    draft: Draft | None = None,
) -> Draft:
    """Keep an unfinished form for a week; its private link goes to the e-mail given, when that is new for this draft.

    The same form saved again changes its draft. The link is mailed each time, so that the newest mail always works.

    :raises TooMany: this address or network saved or sent too many.
    """
    now = clock.now()
    key = tokens.digest("submission", submission_key)
    _limit("draft", email, by)  # whoever saves at the same time waits here, and then finds the same draft
    draft = draft or db.session.scalar(sa.select(Draft).filter_by(submission_key=key))
    token = tokens.new_token()
    if draft is None:
        draft = Draft(department=department, track=track, submission_key=key, created_at=now)
        db.session.add(draft)
    draft.digest = tokens.digest("draft", token)
    draft.locale, draft.email, draft.data = locale, email, data
    draft.claim_token = claim_token
    draft.expires_at = now + KEPT
    db.session.flush()
    notices.draft_saved(draft, token)
    return draft


def find_draft(token: str) -> Draft:
    """The draft a private link belongs to.

    :raises NotFound: unknown, finished or too old.
    """
    draft = None
    if 20 <= len(token) <= 128 and token.isascii():
        draft = db.session.scalar(sa.select(Draft).filter_by(digest=tokens.digest("draft", token)))
    if draft is None or draft.expires_at <= clock.now():
        raise NotFound(_("This draft is not here any more: it was sent, or it is older than seven days."))
    return draft


def drop_draft(draft: Draft) -> None:
    """The draft was sent or is not wanted any more: it goes with the mails that carry its link."""
    notices.forget_draft(draft)
    db.session.delete(draft)


def sweep() -> int:
    """Delete drafts and unconfirmed inquiries that are older than a week, with their files; returns how many."""
    now = clock.now()
    gone = 0
    for draft in db.session.scalars(sa.select(Draft).where(Draft.expires_at <= now).limit(200)):
        if draft.claim_token:
            for upload in files.pending(draft.claim_token):
                files.discard(upload)
        drop_draft(draft)
        gone += 1
    old = (
        sa.select(Inquiry)
        .where(
            Inquiry.status == Status.UNCONFIRMED,
            Inquiry.submitted_at <= now - KEPT,
            ~links.live(LinkKind.CONFIRM, now),  # its mail left late, with a link of a later day
        )
        .order_by(Inquiry.id)
        .limit(200)
        .with_for_update(of=Inquiry, skip_locked=True)  # one that is being confirmed this moment stays
    )
    for inquiry in db.session.scalars(old).unique():
        files.discard_of(("inquiry", inquiry.id))
        search.remove("inquiry", inquiry.id)
        notices.forget(inquiry)
        count(inquiry.department_id, {Status.UNCONFIRMED: -1})
        db.session.delete(inquiry)
        gone += 1
    return gone
