"""Files that come with a form: kept before the form is checked, so that a refused form does not lose them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask import request

from collab import files
from collab.core import limits, site
from collab.core.db import db, unit_of_work
from collab.core.errors import Invalid, Refused
from collab.files import Arrived, FileState, StoredFile
from collab.web.network import client_network
from collab.web.partner import bp

#: What partners may send with an answer; with the first contact it is a PDF alone.
KINDS = frozenset({files.PDF, files.DOCX, files.PNG, files.JPEG})
FILES_PER_MESSAGE = 3


def take(
    claim_token: str,
    *,
    department_id: int,
    purpose: str,
    allowed: frozenset[str] = frozenset({files.PDF}),
    most: int = 1,
) -> Invalid | None:
    """Keep the uploads of this request under the form's secret; the newest replace older ones beyond ``most``.

    :returns: why one of them cannot be taken; the others are kept.
    :raises TooMany: this network sent too many.
    """
    uploads, problem = arrived(purpose=purpose, allowed=allowed)
    keep(uploads, claim_token, department_id=department_id, most=most)
    return problem


def arrived(
    *, purpose: str, allowed: frozenset[str] = frozenset({files.PDF})
) -> tuple[list[Arrived], Invalid | None]:
    """The uploads of this request, looked into, and why one of them cannot be taken. No record knows them yet."""
    taken: list[Arrived] = []
    problem: Invalid | None = None
    for upload in request.files.getlist("attachment"):
        if not upload.filename:
            continue
        try:
            taken.append(
                files.arrive(
                    upload.stream,
                    upload.filename,
                    purpose=purpose,
                    declared=upload.content_type,
                    allowed=allowed,
                    max_bytes=most_bytes(),
                )
            )
        except Invalid as refusal:
            problem = refusal
    return taken, problem


def keep(uploads: list[Arrived], claim_token: str, *, department_id: int, most: int = 1) -> None:
    """Note what arrived under the form's secret, each by itself.

    :raises TooMany: this network sent too many.
    """
    for upload in uploads:
        with unit_of_work():
            count(1)
            files.hold(upload, department_id=department_id, claim_token=claim_token)
            files.keep_newest(claim_token, most)


@contextmanager
def kept_if_refused(uploads: list[Arrived], claim_token: str, *, department_id: int) -> Iterator[None]:
    """What arrived is attached by the unit of work inside; when that is refused, the form keeps it all the same."""
    try:
        yield
    except Refused:
        keep(uploads, claim_token, department_id=department_id)
        raise


def count(number: int) -> None:
    """Count uploads of this network.

    :raises TooMany: it sent too many.
    """
    for _upload in range(number):
        limits.hit(f"upload:{client_network()}", limit=uploads_an_hour(), per=timedelta(hours=1))


@bp.teardown_request
def _close(_error: BaseException | None) -> None:
    # Larger uploads lie in temporary files; they are not needed any more, whatever became of the request.
    for upload in request.files.values() if "files" in request.__dict__ else ():
        upload.close()


def remove(claim_token: str, file_id: str) -> None:
    """Take a file off a form again; a file of another form is left alone."""
    with unit_of_work():
        for file in files.pending(claim_token):
            if str(file.id) == file_id:
                _discard(file)


def remove_all(claim_token: str) -> None:
    """Nothing that came with this form is kept."""
    with unit_of_work():
        for file in files.pending(claim_token):
            _discard(file)


def uploads_an_hour() -> int:
    """How many files one network may send in an hour: two for each inquiry."""
    return 2 * site.settings().submissions_per_network


def most_bytes() -> int:
    """The largest file taken, in bytes."""
    return site.settings().upload_megabytes * 1024 * 1024


def _discard(file: StoredFile) -> None:
    # Another request of the same form may be attaching it this very moment: what is attached stays.
    db.session.refresh(file, with_for_update=True)
    if file.state is FileState.PENDING:
        files.discard(file)
