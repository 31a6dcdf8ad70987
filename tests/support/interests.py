"""Declaring interests by the verb, for tests whose subject is something else."""

from contextlib import suppress
from typing import TYPE_CHECKING

from collab.core.errors import Refused

if TYPE_CHECKING:
    from collab.accounts import Actor
    from collab.inquiries import Inquiry


def declare_none(inquiry: "Inquiry", by: "Actor") -> None:
    """A person answers every question with no."""
    from collab.inquiries import interests

    interests.declare(inquiry, dict.fromkeys(interests.QUESTIONS, False), by=by)


def try_to_declare_none(inquiry: "Inquiry", by: "Actor") -> None:
    """The same; whoever has nothing to do with the inquiry is refused, and that is all."""
    with suppress(Refused):
        declare_none(inquiry, by)
