"""The kinds of mail that staff get, and how each may be wanted: at once, in the daily digest, or not at all.

domain.md B.5: one digest a day, except what is urgent. What is asked of one very person, what is late, a decision that
waits and what stands in the way come at once unless somebody wants them in the digest; what must be acted on cannot
be switched off.
"""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


class MailKind(StrEnum):
    """What a mail to a member of staff is about."""

    GIVEN = "given"
    NEW = "new"
    DECISION = "decision"
    LATE = "late"
    HINDRANCE = "hindrance"
    DUE_SOON = "due_soon"
    PARTNER = "partner"
    ANSWERS = "answers"
    MENTION = "mention"
    RELEASED = "released"

    @property
    def label(self) -> LazyString:
        return KINDS[self].label


class Wish(StrEnum):
    """How a kind of mail is wanted."""

    AT_ONCE = "at_once"
    DIGEST = "digest"
    NEVER = "never"

    @property
    def label(self) -> LazyString:
        return WISHES[self]


WISHES: dict[Wish, LazyString] = {
    Wish.AT_ONCE: _l("At once"),
    Wish.DIGEST: _l("In the daily digest"),
    Wish.NEVER: _l("Not at all"),
}


@dataclass(frozen=True)
class OfKind:
    """What holds of a kind of mail.

    :param wish: how it comes where nobody chose.
    :param must_act: somebody has to do something: it cannot be switched off.
    """

    label: LazyString
    wish: Wish = Wish.AT_ONCE
    must_act: bool = True

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """What can be chosen."""
        return tuple(Wish)[:2] if self.must_act else tuple(Wish)


KINDS: dict[MailKind, OfKind] = {
    MailKind.GIVEN: OfKind(_l("Something is asked of me, and reminders of it")),
    MailKind.NEW: OfKind(_l("New inquiries, at most once a day")),
    MailKind.DECISION: OfKind(_l("A decision waits")),
    MailKind.LATE: OfKind(_l("Something is late")),
    MailKind.HINDRANCE: OfKind(
        _l("Something stands in the way: a conflict of interest, a blocked gate, a wish for erasure")
    ),
    MailKind.DUE_SOON: OfKind(_l("Something is due soon"), Wish.DIGEST),
    MailKind.PARTNER: OfKind(_l("News from a partner"), Wish.DIGEST),
    MailKind.ANSWERS: OfKind(_l("A host has answered, or a third reader is wanted"), Wish.DIGEST),
    MailKind.MENTION: OfKind(_l("Somebody mentions me in a note"), must_act=False),
    MailKind.RELEASED: OfKind(_l("I need not answer any more"), must_act=False),
}
