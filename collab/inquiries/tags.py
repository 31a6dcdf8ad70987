"""Tags: a department's own words for its inquiries. Coordinators and heads put them on; the partner never sees one.

A tag has one name, in whatever script people write it, and a ``slug`` made of the name, by which an address and the
query language find it. Two names with the same slug are the same tag. A name that is given up leads on to the tag it
went into, so that a view kept under the old name still shows what it showed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from collab import audit
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check, departments_where
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Invalid, NotFound
from collab.core.text import HiddenCharacters, clean_line, fold
from collab.departments import Department
from collab.inquiries.history import Kind, take, tell
from collab.inquiries.models import Conflict as ConflictOfInterest
from collab.inquiries.models import Inquiry, InquiryTag, Tag

NAME_LENGTH = 40
#: More on one inquiry say nothing any more; more in one department nobody finds his way in.
MOST_ON_ONE, MOST = 12, 200

_SLUG = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def slug_of(name: str) -> str:
    """How an address and the query language name a tag: letters and digits of any script, joined by hyphens."""
    return "-".join(part for part in re.split(r"[\W_]+", fold(name)) if part)


def is_slug(value: str) -> bool:
    """Whether a tag could be called so."""
    return len(value) <= 80 and _SLUG.fullmatch(value) is not None


# -- on an inquiry ---------------------------------------------------------------------------------------------------


def put(inquiry: Inquiry, name: str, *, by: Actor, new: bool = False) -> Tag:
    """Put a tag on an inquiry. Done already, it stays as it is, and nothing is told twice.

    :param new: make the tag when the department has none of this name.
    :raises Invalid: at ``tag``: no such tag, or one that is not used any more, or too many.
    """
    take(inquiry, by=by)
    check(by, Permission.SEE_ALL_INQUIRIES, inquiry.department_id)
    name, slug = _cleaned(name, "tag")
    tag = _called(inquiry.department_id, slug)
    if tag is None:
        if not new:
            raise Invalid("tag", _("There is no tag “%(name)s” yet.", name=name))
        check(by, Permission.EDIT_TAGS, inquiry.department_id)
        tag = _make(inquiry.department_id, name, slug, by=by, field="tag")
    tag = db.session.get_one(Tag, tag.id, with_for_update={"read": True}, populate_existing=True)
    if tag.merged_into_id is not None:  # given up a moment ago
        tag = db.session.get_one(Tag, tag.merged_into_id, with_for_update={"read": True})
    if tag.retired_at is not None:
        raise Invalid("tag", _("The tag “%(name)s” is not used any more.", name=tag.name))
    if _count_on(inquiry) >= MOST_ON_ONE and not _is_on(inquiry, tag):
        raise Invalid(
            "tag", _("There are %(number)s tags on this inquiry; take one off first.", number=MOST_ON_ONE)
        )
    if _insert(InquiryTag, inquiry_id=inquiry.id, tag_id=tag.id, at=clock.now(), by_id=by.user_id):
        tell(inquiry, Kind.TAGGED, by=by, data={"name": tag.name})
    return tag


def take_off(inquiry: Inquiry, tag_id: int, *, by: Actor) -> None:
    """Take a tag off an inquiry. Gone already, nothing happens."""
    take(inquiry, by=by)
    check(by, Permission.SEE_ALL_INQUIRIES, inquiry.department_id)
    tag = db.session.scalar(
        sa.select(Tag)
        .join(InquiryTag, InquiryTag.tag_id == Tag.id)
        .where(InquiryTag.inquiry_id == inquiry.id, Tag.id == tag_id)
    )
    if tag is None:
        return
    db.session.execute(sa.delete(InquiryTag).filter_by(inquiry_id=inquiry.id, tag_id=tag_id))
    tell(inquiry, Kind.UNTAGGED, by=by, data={"name": tag.name})


def carry(source: Inquiry, target: Inquiry, *, by: Actor) -> list[int]:
    """Put the tags of one inquiry on another as well (the two are joined); across departments none goes along.

    :returns: the ids of those the other one did not have, so that it can be undone.
    """
    if source.department_id != target.department_id:
        return []
    found = db.session.scalars(sa.select(InquiryTag.tag_id).filter_by(inquiry_id=source.id)).all()
    return [
        tag_id
        for tag_id in found
        if _insert(InquiryTag, inquiry_id=target.id, tag_id=tag_id, at=clock.now(), by_id=by.user_id)
    ]


def carry_back(target: Inquiry, tag_ids: Sequence[int]) -> None:
    """Undo ``carry``."""
    db.session.execute(
        sa.delete(InquiryTag).where(InquiryTag.inquiry_id == target.id, InquiryTag.tag_id.in_(tag_ids))
    )


def clear(inquiry: Inquiry) -> None:
    """Take all tags off: its person is erased, and a word may have told of him."""
    db.session.execute(sa.delete(InquiryTag).filter_by(inquiry_id=inquiry.id))


# -- the department's tags -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """A tag and on how many inquiries it is; what is closed to the reader is not counted."""

    tag: Tag
    inquiries: int


def of_department(department: Department, *, seen_by: Actor) -> list[Counted]:
    """Every tag of a department with its number of inquiries: those in use by name, then the retired ones."""
    on, closed = aliased(InquiryTag), aliased(InquiryTag)
    number = sa.select(sa.func.count()).where(on.tag_id == Tag.id).correlate(Tag).scalar_subquery()
    hidden = (
        sa.select(sa.func.count())
        .select_from(closed)
        .join(ConflictOfInterest, ConflictOfInterest.inquiry_id == closed.inquiry_id)
        .where(closed.tag_id == Tag.id, ConflictOfInterest.user_id == seen_by.user_id)
        .correlate(Tag)
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(Tag, number - hidden).where(
            Tag.department_id == department.id, Tag.merged_into_id.is_(None)
        )
    )
    found = [Counted(tag, count) for tag, count in rows]
    return sorted(found, key=lambda one: (one.tag.retired_at is not None, fold(one.tag.name)))


def by_id(tag_id: int, *, seen_by: Actor) -> Tag:
    """A tag that this person may change.

    :raises NotFound: there is none in his departments.
    """
    tag = db.session.get(Tag, tag_id)
    if (
        tag is None
        or tag.merged_into_id is not None
        or tag.department_id not in departments_where(seen_by, Permission.EDIT_TAGS)
    ):
        raise NotFound
    return tag


def add(department: Department, name: str, *, by: Actor) -> Tag:
    """A new tag.

    :raises Invalid: at ``name``: there is one of this name.
    """
    check(by, Permission.EDIT_TAGS, department.id)
    name, slug = _cleaned(name, "name")
    if _called(department.id, slug) is not None:
        raise Invalid("name", _("There is a tag of this name already."))
    return _make(department.id, name, slug, by=by, field="name")


def rename(tag: Tag, name: str, *, seen: str, by: Actor) -> None:
    """Another name for a tag; the old one leads to it.

    :param seen: the name that the person's page showed.
    :raises Conflict: it has another one by now.
    :raises Invalid: at ``name``: another tag is called so.
    """
    check(by, Permission.EDIT_TAGS, tag.department_id)
    (tag,) = _locked(tag.id)
    if tag.name != seen:
        raise Conflict(
            _(
                "Somebody renamed this tag to “%(name)s” in the meantime. Nothing of yours was done.",
                name=tag.name,
            )
        )
    name, slug = _cleaned(name, "name")
    before, old = tag.name, tag.slug
    if name == before:
        return
    if slug != old:
        other = _row(tag.department_id, slug)
        if other is not None and other.merged_into_id != tag.id:
            raise Invalid("name", _("Another tag is called so. To make one of the two, merge them."))
        if other is not None:  # an earlier name of its own
            db.session.delete(other)
            db.session.flush()
        tag.slug = slug
    tag.name = name
    try:
        db.session.flush()
    except sa.exc.IntegrityError:  # added by somebody else this moment
        raise Conflict(_("Another tag is called so. To make one of the two, merge them.")) from None
    if slug != old:
        db.session.add(
            Tag(
                department_id=tag.department_id,
                name=before,
                slug=old,
                created_at=clock.now(),
                created_by_id=by.user_id,
                merged_into_id=tag.id,
            )
        )
    _record("tag.renamed", tag, by, {"from": before, "to": name})


def merge(tag: Tag, into: Tag, *, by: Actor) -> int:
    """Make one tag of two: what had the first has the second, and the first one's name leads to the second.

    :returns: on how many inquiries the first one was.
    """
    check(by, Permission.EDIT_TAGS, tag.department_id)
    if into.id == tag.id or into.department_id != tag.department_id:
        raise Invalid("into", _("Choose another tag."))
    found = {one.id: one for one in _locked(tag.id, into.id)}
    tag, into = found[tag.id], found[into.id]
    if into.retired_at is not None:
        raise Invalid("into", _("The tag “%(name)s” is not used any more.", name=into.name))
    number = (
        db.session.scalar(sa.select(sa.func.count()).select_from(InquiryTag).filter_by(tag_id=tag.id)) or 0
    )
    has_both = sa.select(InquiryTag.inquiry_id).where(InquiryTag.tag_id == into.id)
    ours = InquiryTag.tag_id == tag.id
    db.session.execute(
        sa.delete(InquiryTag)
        .where(ours, InquiryTag.inquiry_id.in_(has_both))
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        sa.update(InquiryTag).where(ours).values(tag_id=into.id).execution_options(synchronize_session=False)
    )
    db.session.execute(sa.update(Tag).where(Tag.merged_into_id == tag.id).values(merged_into_id=into.id))
    tag.merged_into_id = into.id
    _record("tag.merged", tag, by, {"name": tag.name, "into": into.name, "inquiries": number})
    return number


def retire(tag: Tag, *, by: Actor) -> None:
    """Offer it no more; it stays where it is, and can still be looked for."""
    check(by, Permission.EDIT_TAGS, tag.department_id)
    (tag,) = _locked(tag.id)
    if tag.retired_at is None:
        tag.retired_at = clock.now()
        _record("tag.retired", tag, by, {"name": tag.name})


def bring_back(tag: Tag, *, by: Actor) -> None:
    """Offer a retired one again."""
    check(by, Permission.EDIT_TAGS, tag.department_id)
    (tag,) = _locked(tag.id)
    if tag.retired_at is not None:
        tag.retired_at = None
        _record("tag.brought_back", tag, by, {"name": tag.name})


# -- how it is done --------------------------------------------------------------------------------------------------


def _cleaned(name: str, field: str) -> tuple[str, str]:
    try:
        name = clean_line(name)
    except HiddenCharacters:
        raise Invalid(
            field, _("This name holds invisible control characters. Please type it again.")
        ) from None
    name = name.removeprefix("#").strip()
    slug = slug_of(name)
    if not name:
        raise Invalid(field, _("Write the tag."))
    if len(name) > NAME_LENGTH:
        raise Invalid(field, _("A tag has at most %(most)s characters.", most=NAME_LENGTH))
    if not is_slug(slug):
        raise Invalid(field, _("A tag needs letters or digits, and few enough to be a word or two."))
    return name, slug


def _row(department_id: int, slug: str) -> Tag | None:
    return db.session.scalar(sa.select(Tag).filter_by(department_id=department_id, slug=slug))


def _called(department_id: int, slug: str) -> Tag | None:
    """The tag of a name; a name that was given up leads to the one it went into."""
    tag = _row(department_id, slug)
    return db.session.get(Tag, tag.merged_into_id) if tag is not None and tag.merged_into_id else tag


def _make(department_id: int, name: str, slug: str, *, by: Actor, field: str) -> Tag:
    number = sa.select(sa.func.count()).where(
        Tag.department_id == department_id, Tag.merged_into_id.is_(None), Tag.retired_at.is_(None)
    )
    if (db.session.scalar(number) or 0) >= MOST:
        raise Invalid(
            field, _("There are %(number)s tags; retire or merge some before you make more.", number=MOST)
        )
    made = _insert(
        Tag,
        department_id=department_id,
        name=name,
        slug=slug,
        created_at=clock.now(),
        created_by_id=by.user_id,
    )
    tag = _called(department_id, slug)
    assert tag is not None
    if made:
        _record("tag.added", tag, by, {"name": name})
    return tag


def _insert(model: type[Tag] | type[InquiryTag], **values: object) -> bool:
    """Add a row unless it is there; whether it was added."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    # The number of rows is not told alike everywhere; a row that comes back is.
    statement = insert(model).values(**values).on_conflict_do_nothing().returning(sa.literal(1))
    return db.session.connection().execute(statement).first() is not None


def _locked(*tag_ids: int) -> Sequence[Tag]:
    """Tags to be changed, always locked in the same order.

    :raises Conflict: one of them was given up in the meantime.
    """
    found = db.session.scalars(
        sa.select(Tag)
        .where(Tag.id.in_(tag_ids), Tag.merged_into_id.is_(None))
        .order_by(Tag.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(found) < len(set(tag_ids)):
        raise Conflict(_("Somebody merged this tag in the meantime. Nothing of yours was done."))
    return found


def _count_on(inquiry: Inquiry) -> int:
    return (
        db.session.scalar(sa.select(sa.func.count()).select_from(InquiryTag).filter_by(inquiry_id=inquiry.id))
        or 0
    )


def _is_on(inquiry: Inquiry, tag: Tag) -> bool:
    return db.session.get(InquiryTag, (inquiry.id, tag.id)) is not None


def _record(action: str, tag: Tag, by: Actor, detail: dict[str, object]) -> None:
    audit.record(action, by=by, department_id=tag.department_id, on=("tag", tag.id), detail=detail)
