"""What can be done with attachments. The bytes are durable before the row is; a row without its commit leaves bytes
nobody knows, which the sweep removes after a while."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any, BinaryIO, cast

import sqlalchemy as sa
import structlog
from flask_babel import gettext as _

from collab.core import clock, site
from collab.core.db import connection, db
from collab.core.errors import Invalid, NotFound, Unavailable
from collab.core.tokens import digest
from collab.files import inspection, rules
from collab.files.looking import Died, Looker, TooBusy
from collab.files.models import FileState, ScanState, StoredFile
from collab.files.store import CHUNK, Gone, Incoming, TooLarge, store

log = structlog.get_logger("collab.files")
PURPOSE = "upload-form"
#: Seconds until we stop waiting for a file to be looked through. What the file itself may cost is bounded by the
#: looking process (``inspection.SECONDS`` of the processor): who waits longer waits for a busy machine.
LOOK_SECONDS = 30
_looker = Looker()
_FILE = sa.insert(cast(sa.Table, StoredFile.__table__))


class FileUnavailable(Unavailable):
    """The record is there, the bytes are not, or are not the ones that were stored."""


class Opened:
    """A file's verified content: iterate over it once, or close it."""

    def __init__(self, content: IO[bytes], size: int) -> None:
        self.content = content
        self.size = size

    def __iter__(self) -> Iterator[bytes]:
        with self.content:
            while chunk := self.content.read(CHUNK):
                yield chunk

    def close(self) -> None:
        self.content.close()


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """An upload that was looked into and whose bytes are durable; no record knows it yet."""

    purpose: str
    filename: str
    media_type: str
    size: int
    pages: int | None
    sha256: str
    key: str


def arrive(
    stream: BinaryIO | IO[bytes],
    filename: str,
    *,
    purpose: str,
    max_bytes: int,
    declared: str | None = None,
    allowed: Collection[str] = (inspection.PDF,),
    field: str = "attachment",
) -> Arrived:
    """Take an upload: read it within its limit, look into it, keep the bytes. Asks nothing of the database.

    :param declared: the content type the upload claims.
    :raises Invalid: at ``field``, with the reason.
    :raises Unavailable: no room, or the store is away.
    """

    def refuse(code: str) -> Invalid:
        log.info("upload_refused", reason=code, purpose=purpose)
        return Invalid(field, rules.sentence(code, allowed=allowed, max_bytes=max_bytes))

    by_name = rules.media_type_by_name(filename)
    claimed = rules.declared_type(declared)
    if by_name is None or by_name not in allowed or claimed not in {None, by_name}:
        raise refuse("kind")
    try:
        with store().incoming(stream, max_bytes=max_bytes) as incoming:
            if not incoming.size:
                raise refuse("empty")
            if inspection.kind_of(incoming.path) != by_name:
                raise refuse("not_this_kind")
            try:
                known = _look(by_name, incoming)
            except inspection.Suspicious as suspicious:
                raise refuse(suspicious.code) from None
            key = store().keep(incoming)
    except TooLarge:
        raise refuse("size") from None
    return Arrived(
        purpose=purpose,
        filename=rules.display_name(filename),
        media_type=by_name,
        size=incoming.size,
        pages=known,
        sha256=incoming.sha256,
        key=key,
    )


def hold(arrived: Arrived, *, department_id: int, claim_token: str) -> StoredFile:
    """Note an upload as pending for one form.

    :param claim_token: the form's secret; only who has it can attach the file (A02).
    """
    if not claim_token:
        raise NotFound
    claimed = {"state": FileState.PENDING, "claim_digest": digest(PURPOSE, claim_token)}
    file = StoredFile(**_columns(arrived, department_id), **claimed)
    db.session.add(file)
    db.session.flush()
    return file


def attach_new(arrived: Arrived, *, department_id: int, owner: tuple[str, int]) -> None:
    """Note an upload as part of something at once."""
    owned = {"state": FileState.ATTACHED, "owner_kind": owner[0], "owner_id": owner[1]}
    connection().execute(_FILE, {**_columns(arrived, department_id), **owned})


def receive(
    stream: BinaryIO | IO[bytes],
    filename: str,
    *,
    department_id: int,
    claim_token: str,
    **how: Any,
) -> StoredFile:
    """``arrive`` and ``hold`` in one.

    Call it before any query of the unit of work, so that the database is not locked while bytes are read.
    """
    if not claim_token:
        raise NotFound
    return hold(arrive(stream, filename, **how), department_id=department_id, claim_token=claim_token)


def _columns(arrived: Arrived, department_id: int) -> dict[str, Any]:
    told = {"department_id": department_id, "scan": ScanState.NOT_CHECKED, "created_at": clock.now()}
    return {**vars(arrived), **told}


def claim(
    claim_token: str, *, owner: tuple[str, int], ids: Collection[int] | None = None
) -> list[StoredFile]:
    """Attach what one form uploaded to what the form made.

    :param ids: only these; each must be of this form.
    :raises NotFound: an id that this form did not upload.
    """
    files = _pending(claim_token, lock=True)
    if ids is not None:
        wanted = set(ids)
        files = [file for file in files if file.id in wanted]
        if {file.id for file in files} != wanted:
            raise NotFound
    for file in files:
        attach(file, owner=owner)
    return files


def keep_newest(claim_token: str, most: int, *, wait: bool = False) -> list[StoredFile]:
    """Delete what one form uploaded beyond its newest files; returns those.

    :param wait: for other requests of the same form that hold some of them just now; otherwise those are left alone,
        so that two uploads never wait for each other.
    """
    files = _pending(claim_token, lock=True, skip_locked=not wait)
    beyond = max(len(files) - most, 0)
    for file in files[:beyond]:
        discard(file)
    return files[beyond:]


def attach(file: StoredFile, *, owner: tuple[str, int]) -> None:
    """Make a pending file part of something.

    :raises NotFound: it is not pending (any more).
    """
    if file.state is not FileState.PENDING:
        raise NotFound
    file.owner_kind, file.owner_id = owner
    file.state = FileState.ATTACHED
    file.claim_digest = None
    db.session.flush()


def hand_over(owner: tuple[str, int], to: tuple[str, int]) -> list[StoredFile]:
    """Everything attached to one thing becomes another's: a draft's files the inquiry's."""
    files = list(db.session.scalars(_attached(owner)))
    for file in files:
        file.owner_kind, file.owner_id = to
    db.session.flush()
    return files


def copy(file: StoredFile, *, department_id: int, owner: tuple[str, int]) -> None:
    """The same file once more, for another department: with bytes of its own, so that each can be deleted alone."""
    with read(file).content as content, store().incoming(content, max_bytes=file.size) as incoming:
        key = store().keep(incoming)
    same = ("purpose", "filename", "media_type", "size", "pages", "sha256", "scan")
    told = {name: getattr(file, name) for name in same} | {"key": key, "created_at": clock.now()}
    owned = {"state": FileState.ATTACHED, "owner_kind": owner[0], "owner_id": owner[1]}
    connection().execute(_FILE, {**told, **owned, "department_id": department_id})


def discard(file: StoredFile) -> None:
    """Delete a file: at once for everybody who asks, its bytes and its name with the next sweep after the commit."""
    file.state = FileState.DELETED
    file.claim_digest = None
    db.session.flush()


def discard_of(owner: tuple[str, int]) -> int:
    """Delete everything attached to one thing; returns how many."""
    files = list(db.session.scalars(_attached(owner)))
    for file in files:
        discard(file)
    return len(files)


def read(file: StoredFile) -> Opened:
    """A file's content, verified before the first byte is given out.

    :raises FileUnavailable: the bytes are missing or changed, or the virus check has not let them pass.
    """
    settings = site.settings()
    if file.state is FileState.DELETED:
        raise NotFound
    if file.scan is ScanState.INFECTED:
        raise FileUnavailable(_("A virus was found in this file. It is locked."), retry_after=3600)
    if settings.scan_command and file.scan is not ScanState.CLEAN:
        raise FileUnavailable(
            _("This file is still being checked for viruses. Please try again in a few minutes.")
        )
    try:
        return Opened(store().verified(file.key, sha256=file.sha256, size=file.size), file.size)
    except Gone as gone:
        log.error("file_unavailable", file=file.id, reason=str(gone) or "missing")
        raise FileUnavailable(_("This file cannot be opened just now. The portal has noted it.")) from None


def _pending(claim_token: str, *, lock: bool = False, skip_locked: bool = False) -> list[StoredFile]:
    if not claim_token:
        return []
    query = (
        sa.select(StoredFile)
        .where(StoredFile.claim_digest == digest(PURPOSE, claim_token), StoredFile.state == FileState.PENDING)
        .order_by(StoredFile.id)
    )
    if lock:
        query = query.with_for_update(skip_locked=skip_locked).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


def _attached(owner: tuple[str, int]) -> sa.Select[StoredFile]:
    return (
        sa.select(StoredFile)
        .where(
            StoredFile.owner_kind == owner[0],
            StoredFile.owner_id == owner[1],
            StoredFile.state == FileState.ATTACHED,
        )
        .order_by(StoredFile.id)
        .with_for_update()
    )


def _look(media_type: str, incoming: Incoming) -> int | None:
    """Look into the file in a process of its own; the number of pages, where there are pages."""
    if media_type != inspection.PDF:  # these looks are bounded by the file's size
        inspection.look_into(media_type, incoming.path)
        return None
    try:
        answer = _looker.look(media_type, incoming.path, seconds=LOOK_SECONDS)
    except TooBusy:
        raise _too_busy() from None
    except Died as died:
        log.warning("inspection_ended", code=died.code)
        raise inspection.Suspicious("slow" if died.code < 0 else "broken") from None
    if "refused" in answer:
        raise inspection.Suspicious(answer["refused"])
    return int(answer["pages"])


def _too_busy() -> Unavailable:
    log.error("inspection_too_busy")
    return Unavailable(retry_after=60)


def forget_older_than(age: timedelta) -> int:
    """Delete pending files no form came back for; returns how many."""
    files = db.session.scalars(
        sa.select(StoredFile)
        .where(StoredFile.state == FileState.PENDING, StoredFile.created_at < clock.now() - age)
        .limit(500)
        .with_for_update(skip_locked=True)
    ).all()
    for file in files:
        discard(file)
    return len(files)
