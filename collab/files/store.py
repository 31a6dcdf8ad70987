"""Where the bytes lie: a folder, or a bucket that speaks S3. Keys are made by us and say nothing.

The store is made at its first use in each process: obstore keeps threads that do not survive a fork.
"""

import errno
import hashlib
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from flask import current_app
from flask_babel import gettext as _
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from collab.core import clock
from collab.core.errors import Unavailable
from collab.settings import Settings

log = structlog.get_logger("collab.files")
PREFIX = "f"
CHUNK = 256 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


class Gone(Exception):
    """There are no bytes under this key."""


class TooLarge(Exception):
    """More bytes came than allowed."""


@dataclass(frozen=True)
class Incoming:
    """Bytes that have arrived but are not kept yet: a file in the store's own antechamber."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One object of the store."""

    key: str
    size: int
    modified: datetime


class Store:
    """The bytes of all attachments."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.files)
        self.folder: Path | None = None
        self._objects: Any
        if url.scheme == "file":
            self.folder = Path(unquote(url.path))
            _private_folder(self.folder)
            self._incoming = self.folder / ".incoming"
            self._objects = LocalStore(prefix=self.folder)
        else:
            self._incoming = settings.instance / "incoming"
            self._objects = S3Store.from_url(
                settings.files,
                client_options={"timeout": "30s", "connect_timeout": "5s", "allow_http": True},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            )
        _private_folder(self._incoming)

    @contextmanager
    def incoming(self, stream: BinaryIO | IO[bytes], *, max_bytes: int) -> Iterator[Incoming]:
        """Read a stream into a private temporary file, counting and hashing; gone afterwards unless kept.

        :raises TooLarge: as soon as one byte too many has come.
        :raises Unavailable: no room.
        """
        path = self._incoming / secrets.token_hex(16)
        try:
            with _clear_when_full():
                size, digest = 0, hashlib.sha256()
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    os.fchmod(file.fileno(), 0o600)
                    while chunk := stream.read(CHUNK):
                        size += len(chunk)
                        if size > max_bytes:
                            raise TooLarge
                        digest.update(chunk)
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
            yield Incoming(path, size, digest.hexdigest())
        finally:
            with suppress(FileNotFoundError):
                path.unlink()

    def keep(self, incoming: Incoming) -> str:
        """Put arrived bytes under a new key, durably; returns the key.

        :raises Unavailable: no room, or the store is away.
        """
        name = secrets.token_hex(16)
        key = f"{PREFIX}/{name[:2]}/{name}"
        with _clear_when_full():
            if self.folder is None:
                try:
                    with _reachable():
                        obstore.put(self._objects, key, incoming.path)
                except Gone as error:  # there is no such bucket
                    raise _away(error) from error
            else:
                target = self.folder / key
                _private_folder(target.parent)
                incoming.path.rename(target)
                _sync_folder(target.parent)
        return key

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes under a key, in chunks.

        :raises Gone: there are none.
        :raises Unavailable: the store is away.
        """
        with _reachable():
            for chunk in obstore.get(self._objects, key).stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def verified(self, key: str, *, sha256: str, size: int) -> IO[bytes]:
        """The bytes under a key, all read and compared with their digest before the first is given out.

        :raises Gone: there are none, or they are not what was stored.
        """
        copy = tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024, dir=str(self._incoming))  # noqa: SIM115
        try:
            digest = hashlib.sha256()
            for chunk in self.read(key):
                digest.update(chunk)
                copy.write(chunk)
            if copy.tell() != size or digest.hexdigest() != sha256:
                raise Gone("digest")
            copy.seek(0)
        except BaseException:
            copy.close()
            raise
        return copy

    def has(self, key: str) -> int | None:
        """The size of what lies under a key; ``None`` when nothing does."""
        try:
            with _reachable():
                return int(obstore.head(self._objects, key)["size"])
        except Gone:
            return None

    def remove(self, key: str) -> None:
        """Delete what lies under a key, if anything does."""
        with suppress(Gone), _reachable():
            obstore.delete(self._objects, key)

    def entries(self) -> Iterator[Entry]:
        """Everything in the store."""
        with _reachable():
            for page in obstore.list(self._objects, prefix=PREFIX):
                for item in page:
                    yield Entry(item["path"], int(item["size"]), item["last_modified"])

    def clear_incoming(self, older_than: timedelta) -> int:
        """Remove what dead processes left half received."""
        number, limit = 0, (clock.now() - older_than).timestamp()
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime < limit:
                    path.unlink()
                    number += 1
        return number

    def is_writable(self) -> bool:
        """Whether something can be put into the store now."""
        try:
            if self.folder is None:
                obstore.put(self._objects, "probe", b"probe")
            else:
                probe = self._incoming / f"probe-{secrets.token_hex(4)}"
                try:
                    with os.fdopen(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                        file.write(b"probe")
                finally:
                    probe.unlink(missing_ok=True)
        except (OSError, BaseError) as error:
            log.error("store_not_writable", error=type(error).__name__)
            return False
        return True


_lock = threading.Lock()


def store() -> Store:
    """This process's store, made at its first use."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    made = app.extensions.get("collab.store")
    if made is None or made[0] != os.getpid():
        with _lock:
            made = app.extensions.get("collab.store")
            if made is None or made[0] != os.getpid():
                try:
                    made = (os.getpid(), Store(app.extensions["collab.settings"]))
                except OSError as error:
                    raise _away(error) from error
                app.extensions["collab.store"] = made
    return made[1]  # type: ignore[no-any-return]


def no_room() -> Unavailable:
    """The refusal when nothing more fits."""
    return Unavailable(
        _("The portal has no room for files just now. Nothing was kept; please try again later."),
        retry_after=300,
    )


def _away(error: Exception) -> Unavailable:
    log.error("store_away", error=type(error).__name__)
    return Unavailable(_("The portal cannot reach its files just now. Please try again in a few minutes."))


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise Gone from None
    except BaseError as error:
        raise _away(error) from error


@contextmanager
def _clear_when_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            log.error("store_full", error=errno.errorcode.get(error.errno or 0, ""))
            raise no_room() from error
        raise


def _private_folder(folder: Path) -> None:
    # The mode is set afterwards as well: mkdir's is cut by the umask, and a folder may be there already.
    for path in reversed([folder, *folder.parents]):
        if not path.exists():
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
                path.chmod(0o700)
    if folder.stat().st_uid == os.getuid() and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
