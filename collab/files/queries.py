"""Finding attachments. Nobody gets one by its number alone: it takes the owner or the departments as well."""

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from collab.core.db import db
from collab.core.errors import NotFound
from collab.files.actions import _pending
from collab.files.models import FileState, StoredFile


def pending(claim_token: str) -> list[StoredFile]:
    """What a form has uploaded so far, to be shown again with it."""
    return _pending(claim_token)


def of(kind: str, id: int) -> list[StoredFile]:
    """What is attached to one thing, in the order it came."""
    return of_many(kind, [id])[id]


def of_many(kind: str, ids: Iterable[int]) -> dict[int, list[StoredFile]]:
    """What is attached to each of several things, in one query."""
    found: dict[int, list[StoredFile]] = {id: [] for id in ids}
    if found:
        query = sa.select(StoredFile).where(
            StoredFile.owner_kind == kind,
            StoredFile.owner_id.in_(found),
            StoredFile.state == FileState.ATTACHED,
        )
        for file in db.session.scalars(query.order_by(StoredFile.id)):
            assert file.owner_id is not None
            found[file.owner_id].append(file)
    return found


def by_id(
    id: int,
    *,
    owners: Collection[tuple[str, int]] | None = None,
    department_ids: Collection[int] | None = None,
) -> StoredFile:
    """An attached file, if it is attached to one of the owners, or lies in one of the departments.

    :raises NotFound: in every other case, without saying which.
    """
    if owners is None and department_ids is None:
        raise TypeError("whose file may it be? Give owners or department_ids")
    file = db.session.get(StoredFile, id) if 0 < id < 2**31 else None
    if file is None or file.state is not FileState.ATTACHED:
        raise NotFound
    if owners is not None and (file.owner_kind, file.owner_id) not in owners:
        raise NotFound
    if department_ids is not None and file.department_id not in department_ids:
        raise NotFound
    return file


def total_size(owner: tuple[str, int]) -> int:
    """Bytes attached to one thing, for its limit."""
    query = sa.select(sa.func.coalesce(sa.func.sum(StoredFile.size), 0)).where(
        StoredFile.owner_kind == owner[0],
        StoredFile.owner_id == owner[1],
        StoredFile.state == FileState.ATTACHED,
    )
    return int(db.session.scalar(query) or 0)
