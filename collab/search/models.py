"""What can be found, as rows; the engines' own indices over them are made by ``ddl``."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from collab.core.db import Model

#: What can be found, and its place in the ids. Inquiries come first: their entry has the inquiry's own id, so that
#: the engine walks them newest first without sorting. Numbers are kept in the database: add, never change.
KINDS = {"inquiry": 0, "page": 1, "section": 2, "fact": 3, "lab": 4, "area": 5, "news": 6}
#: How many ids each kind has.
SPAN = 2**48


class SearchEntry(Model):
    """The words of one object. ``id`` holds its kind and its own id; triggers keep the engine's index in step.

    ``marks`` holds what short queries look up, and the department, so that an index alone answers.
    """

    __tablename__ = "search_entry"

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    department_id: Mapped[int] = mapped_column(index=True)
    words: Mapped[str] = mapped_column(sa.Text)
    marks: Mapped[str] = mapped_column(sa.Text)


def entry_id(kind: str, object_id: int) -> int:
    """The entry of an object.

    :param kind: one of ``KINDS``.
    """
    return KINDS[kind] * SPAN + object_id


def department_mark(department_id: int) -> str:
    """The mark of a department; no word can look like it."""
    return f"§{department_id}"
