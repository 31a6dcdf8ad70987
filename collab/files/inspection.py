"""Looking into a file without trusting it. Imports the standard library only, and pypdf where a PDF is opened.

``inspect`` reads the file at a path and says which kind it is, or why it is refused, as a short code that
``collab.files.rules`` has a sentence for. Run as a program it answers ``collab.files.looking``, each file in a process
of its own with bounded memory and time: what a crafted PDF does to a parser ends with that process.
"""

import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

MEGABYTE = 1024 * 1024
MAX_PAGES = 300
MAX_PIXELS = 60_000_000
MAX_ENTRIES = 2_000
MAX_UNPACKED = 200 * MEGABYTE
MAX_RATIO = 200
MEMORY = 400 * MEGABYTE
SECONDS = 2

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PNG = "image/png"
JPEG = "image/jpeg"


class Suspicious(Exception):
    """The file is not what it says, or more than it says. ``code`` names the sentence."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def kind_of(path: Path) -> str | None:
    """The media type the first bytes speak for; the name plays no part."""
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"%PDF-"):
        return PDF
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if start.startswith(b"\xff\xd8\xff"):
        return JPEG
    if start.startswith(b"PK\x03\x04"):
        return DOCX
    return None


def look_into(media_type: str, path: Path) -> dict[str, Any]:
    """What is known of the file after looking through it.

    :raises Suspicious: it is broken, too much, or two things at once.
    """
    return _LOOKS[media_type](path)


def _pdf(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        _no_archive_inside(file)
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - 2048))
        if b"%%EOF" not in file.read():
            raise Suspicious("broken")
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Suspicious("password")
        return {"pages": _pages(reader)}
    except (
        DependencyError,
        NotImplementedError,
    ) as error:  # a newer encryption: nobody here could open it either
        raise Suspicious("password") from error
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, AssertionError, OverflowError,
            RecursionError, MemoryError, UnicodeError, zlib.error, OSError) as error:  # fmt: skip
        raise Suspicious("broken") from error


def _pages(reader: Any) -> int:
    pages = len(reader.pages)
    if not pages:
        raise Suspicious("broken")
    if pages > MAX_PAGES:
        raise Suspicious("pages")
    return pages


def _no_archive_inside(file: BinaryIO) -> None:
    file.seek(0)
    if zipfile.is_zipfile(file):
        raise Suspicious("two_kinds")


def _docx(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    with path.open("rb") as file:
        _directory_is_small(file, size)
        try:
            with zipfile.ZipFile(file) as archive:
                _entries(archive, size)
        except (zipfile.BadZipFile, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError,
                OverflowError, UnicodeError, struct.error, zlib.error, OSError) as error:  # fmt: skip
            raise Suspicious("broken") from error
    return {}


def _directory_is_small(file: BinaryIO, size: int) -> None:
    # Read before the standard library builds an object for each of a hundred thousand entries.
    tail_length = min(size, 65_557)
    file.seek(size - tail_length)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise Suspicious("broken")
    _sig, disk, _cd_disk, _here, entries, length, offset, comment = struct.unpack(
        "<4s4H2LH", tail[at : at + 22]
    )
    end = size - tail_length + at
    if (
        disk
        or entries == 0xFFFF
        or offset == 0xFFFFFFFF
        or entries > MAX_ENTRIES
        or length > MAX_ENTRIES * 500
    ):
        raise Suspicious("too_much_inside")
    if offset + length != end or end + 22 + comment != size:
        raise Suspicious(
            "two_kinds"
        )  # something before, between or behind: an archive glued to something else


def _entries(archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise Suspicious("too_much_inside")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise Suspicious("broken")
    total, end_before = 0, 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        name = entry.orig_filename
        if (
            name.startswith(("/", "\\"))
            or "\\" in name
            or "\0" in name
            or ".." in name.split("/")
            or ":" in name[:3]
        ):
            raise Suspicious("paths")
        if entry.flag_bits & 0x1:
            raise Suspicious("password")
        if entry.header_offset < end_before:
            raise Suspicious("too_much_inside")  # overlapping entries
        end_before = entry.header_offset + 30 + entry.compress_size
        total += entry.file_size
        if entry.file_size > MEGABYTE and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise Suspicious("too_much_inside")
        if name.lower().endswith((".zip", ".jar", ".exe", ".js", ".vbs", ".bat", ".docm", ".dll")):
            raise Suspicious("programs")
        if name.lower().endswith(("vbaproject.bin", "vbadata.xml")):
            raise Suspicious("macros")
    if total > MAX_UNPACKED or total > MAX_RATIO * max(size, 1):
        raise Suspicious("too_much_inside")
    if "[Content_Types].xml" not in names or "word/document.xml" not in names:
        raise Suspicious("not_this_kind")
    for entry in entries:
        if entry.filename.lower().endswith((".xml", ".rels")):
            with archive.open(entry) as part:
                beginning = part.read(4096)
            if b"<!DOCTYPE" in beginning or b"<!ENTITY" in beginning or b"\0<\0!" in beginning:
                raise Suspicious("too_much_inside")
    with archive.open("[Content_Types].xml") as part:
        types = part.read(MEGABYTE)
    if b"macroEnabled" in types:
        raise Suspicious("macros")


def _png(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    at, first, seen = 8, True, False
    while at + 12 <= len(data):
        length, kind = struct.unpack(">L4s", data[at : at + 8])
        end = at + 12 + length
        if (
            end > len(data)
            or zlib.crc32(data[at + 4 : end - 4]) != struct.unpack(">L", data[end - 4 : end])[0]
        ):
            raise Suspicious("broken")
        if first:
            if kind != b"IHDR" or length != 13:
                raise Suspicious("broken")
            _dimensions(*struct.unpack(">LL", data[at + 8 : at + 16]))
            first = False
        seen = seen or kind == b"IDAT"
        at = end
        if kind == b"IEND":
            if not seen:
                raise Suspicious("broken")
            if at != len(data):
                raise Suspicious("two_kinds")
            return {}
    raise Suspicious("broken")


def _jpeg(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    at, sized = 2, False
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise Suspicious("broken")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if length < 2:
            raise Suspicious("broken")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            if at + 9 > len(data):
                raise Suspicious("broken")
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            _dimensions(width, height)
            sized = True
        at += 2 + length
        if marker == 0xDA:
            break
    # Cameras put small things of their own behind the picture; an archive or a page is not one of them.
    end = data.rfind(b"\xff\xd9")
    if not sized or end < at:
        raise Suspicious("broken")
    behind = data[end + 2 :]
    if behind.strip(b"\0") and len(behind) > 65_536:
        raise Suspicious("two_kinds")
    with path.open("rb") as file:
        _no_archive_inside(file)
    return {}


def _dimensions(width: int, height: int) -> None:
    if not width or not height:
        raise Suspicious("broken")
    if width * height > MAX_PIXELS or max(width, height) > 30_000:
        raise Suspicious("too_much_inside")


_LOOKS: dict[str, Callable[[Path], dict[str, Any]]] = {PDF: _pdf, DOCX: _docx, PNG: _png, JPEG: _jpeg}


def serve() -> None:
    """Answer questions, each one line of JSON (``number``, ``media_type``, ``path``), until nobody asks any more.

    Every file is looked into by a child of this process within limits of its own; the next one is there before its
    question. The answer is one line of JSON: what is known, ``{"refused": code}``, or ``{"ended": exit code}`` when
    the child was ended; each with the ``number`` of its question.
    """
    import gc
    import logging
    import resource  # noqa: F401  # these once here, so that no child has to

    import pypdf.filters  # noqa: F401

    logging.disable(logging.CRITICAL)
    gc.freeze()  # what all children share is not touched, so it need not be copied for any of them
    question = b"first"
    while question:
        its_end, our_end = os.pipe()
        child = os.fork()
        if not child:
            os.close(our_end)
            _answer(its_end)
        os.close(its_end)
        question = sys.stdin.buffer.readline()
        with suppress(BrokenPipeError):
            os.write(our_end, question)
        os.close(our_end)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code and question:
            _say({"ended": code, "number": json.loads(question)["number"]})


def _answer(asked: int) -> NoReturn:
    import resource

    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        sys.setrecursionlimit(500)
        question = os.read(asked, 65_536)
        if question:  # else nobody asks any more
            asked_for = json.loads(question)
            try:
                found = look_into(asked_for["media_type"], Path(asked_for["path"]))
            except Suspicious as suspicious:
                found = {"refused": suspicious.code}
            _say({**found, "number": asked_for["number"]})
        code = 0
    finally:
        os._exit(code)


def _say(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")  # short enough to be written whole


if __name__ == "__main__":
    serve()
