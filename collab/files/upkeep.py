"""Keeping records and bytes in step, and asking the virus scanner. Called by the worker and by ``collab doctor``."""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import sqlalchemy as sa
import structlog

from collab.core import clock, site
from collab.core.db import db
from collab.core.errors import Unavailable
from collab.files.models import FileState, ScanState, StoredFile
from collab.files.store import Gone, store

log = structlog.get_logger("collab.files")
#: Bytes without a record are left alone so long: their transaction may still be running.
GRACE = timedelta(hours=24)
SCAN_SECONDS = 120


@dataclass
class Report:
    """What ``fsck`` found, both ways round."""

    checked: int = 0
    missing: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.missing or self.damaged or self.orphans)


def fsck(*, deep: bool = False) -> Report:
    """Compare records and bytes.

    :param deep: read every file and compare its digest, not only its size.
    """
    report = Report()
    there = {entry.key: entry for entry in store().entries()}
    rows = db.session.execute(
        sa.select(
            StoredFile.id, StoredFile.key, StoredFile.size, StoredFile.sha256, StoredFile.state
        ).order_by(StoredFile.id)
    ).all()
    for id, key, size, sha256, state in rows:
        entry = there.pop(key, None)
        if state is FileState.DELETED:
            continue
        report.checked += 1
        if entry is None:
            report.missing.append(id)
        elif entry.size != size or (deep and not _is_whole(key, sha256, size)):
            report.damaged.append(id)
    limit = clock.now() - GRACE
    report.orphans = sorted(key for key, entry in there.items() if entry.modified < limit)
    return report


def remove_orphans() -> int:
    """Delete bytes that no record knows and that are older than a day; returns how many."""
    limit, number = clock.now() - GRACE, 0
    old = [entry.key for entry in store().entries() if entry.modified < limit]
    for start in range(0, len(old), 500):
        some = old[start : start + 500]
        known = set(db.session.scalars(sa.select(StoredFile.key).where(StoredFile.key.in_(some))))
        for key in some:
            if key not in known:
                store().remove(key)
                number += 1
                log.warning("orphan_removed", key=key)
    return number + store().clear_incoming(timedelta(hours=1))


def discarded(limit: int = 200) -> list[int]:
    """Ids of records that wait for their bytes' removal."""
    return list(
        db.session.scalars(sa.select(StoredFile.id).where(StoredFile.state == FileState.DELETED).limit(limit))
    )


def remove_for_good(id: int) -> None:
    """Delete a discarded file's bytes, then its record: a crash in between leaves a record that is tried again."""
    file = db.session.get(StoredFile, id)
    if file is not None and file.state is FileState.DELETED:
        store().remove(file.key)
        db.session.delete(file)
        db.session.flush()


def unchecked(limit: int = 50) -> list[int]:
    """Ids of files the virus scanner has not answered for; empty when there is no scanner."""
    settings = site.settings()
    if not settings.scan_command:
        return []
    return list(
        db.session.scalars(
            sa.select(StoredFile.id)
            .where(
                StoredFile.scan.in_([ScanState.NOT_CHECKED, ScanState.FAILED]),
                StoredFile.state != FileState.DELETED,
            )
            .order_by(StoredFile.scan.desc(), StoredFile.id)  # those never asked about first
            .limit(limit)
        )
    )


def scan(id: int) -> ScanState | None:
    """Ask the scanner about one file. Reads and waits: call it outside a unit of work, and note the answer after.

    :returns: the answer; ``None`` when the file's bytes are gone.
    """
    settings = site.settings()
    file = db.session.get(StoredFile, id)
    if file is None:
        return None
    key, sha256, size = file.key, file.sha256, file.size
    db.session.rollback()  # the scanner may take its time: hold no transaction meanwhile
    try:
        content = store().verified(key, sha256=sha256, size=size)
    except Gone:
        return None
    with content, NamedTemporaryFile(prefix="collab-scan-") as copy:
        shutil.copyfileobj(content, copy)
        copy.flush()
        try:
            done = subprocess.run(  # noqa: S603  # the installation's own setting
                [*shlex.split(settings.scan_command), copy.name],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SCAN_SECONDS,
                check=False,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.error("scanner_away", error=type(error).__name__)
            return ScanState.FAILED
    answer = {0: ScanState.CLEAN, 1: ScanState.INFECTED}.get(done.returncode, ScanState.FAILED)
    if answer is not ScanState.CLEAN:
        log.error("scan", file=id, answer=str(answer))
    return answer


def note_scan(id: int, answer: ScanState) -> None:
    """Keep the scanner's answer."""
    file = db.session.get(StoredFile, id)
    if file is not None:
        file.scan = answer
        db.session.flush()


def store_is_writable() -> bool:
    """Whether something can be put into the store now."""
    try:
        return store().is_writable()
    except Unavailable:
        return False


def free_space() -> tuple[int, int] | None:
    """Free and total bytes where the files lie; ``None`` for a bucket."""
    folder: Path | None = store().folder
    if folder is None:
        return None
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def _is_whole(key: str, sha256: str, size: int) -> bool:
    try:
        store().verified(key, sha256=sha256, size=size).close()
    except Gone:
        return False
    return True
