"""Reading departments."""

import sqlalchemy as sa

from collab.core.db import db
from collab.core.errors import NotFound
from collab.departments.models import Department


def by_slug(slug: str) -> Department:
    """The department of an address.

    :raises NotFound: there is none.
    """
    found = db.session.scalar(sa.select(Department).where(Department.slug == slug))
    if found is None:
        raise NotFound
    return found


def by_id(department_id: int) -> Department:
    """The department with an id.

    :raises NotFound: there is none.
    """
    found = db.session.get(Department, department_id)
    if found is None:
        raise NotFound
    return found


#: Every page of the staff asks this: built once.
_ALL = sa.select(Department).order_by(Department.id)


def all_departments() -> list[Department]:
    """Every department, in the order in which they came."""
    return list(db.session.scalars(_ALL))


def only() -> Department | None:
    """The one department of an installation that has just one; otherwise ``None``."""
    found = list(db.session.scalars(sa.select(Department).order_by(Department.id).limit(2)))
    return found[0] if len(found) == 1 else None
