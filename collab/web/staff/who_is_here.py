"""What choosing a person shows of absences: who is away until when stands last, the deputy first."""

from collections.abc import Sequence

from flask_babel import gettext as _
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind

from collab.accounts import Role, absences
from collab.accounts.absences import Roster
from collab.core.wording import format_day
from collab.inquiries import Inquiry
from collab.web import hooks


def roster_of(inquiry: Inquiry) -> Roster:
    """Who is away today in the inquiry's department."""
    return absences.roster(inquiry.department)


def marked(
    people: Sequence[SelectChoice], roster: Roster, *, instead: int | None = None, role: Role | None = None
) -> list[SelectChoice]:
    """Choices of people as they are offered: those here first; of the others, until when and who deputises.

    :param instead: who is replaced; the deputy stands first then.
    :param role: for which somebody is wanted; a deputy who does not hold it is not named.
    """
    deputy = roster.stand_in(instead, role) if instead is not None and role is not None else None
    first = str(deputy.id) if deputy else ""
    found = [
        SelectChoice(
            one.value,
            _("%(name)s · deputises for this person", name=one.label)
            if one.value == first
            else _with_absence(one, roster, role),
        )
        for one in people
    ]
    return sorted(found, key=lambda one: (one.value != first, _id(one) in roster.away))


def _with_absence(one: SelectChoice, roster: Roster, role: Role | None) -> str:
    until = roster.until(_id(one))
    if until is None:
        return str(one.label)
    day = format_day(until, hooks.language(), year=False)
    deputy = next(
        (found for each in ([role] if role else list(Role)) if (found := roster.stand_in(_id(one), each))),
        None,
    )
    if deputy is None:
        return _("%(name)s · away until %(day)s", name=one.label, day=day)
    return _(
        "%(name)s · away until %(day)s, %(deputy)s deputises", name=one.label, day=day, deputy=deputy.name
    )


def _id(one: SelectChoice) -> int:
    return int(one.value) if str(one.value).isdigit() else 0
