"""Sample files, made here, so that nothing binary lies in the repository."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfWriter

from collab import files
from collab.core.db import unit_of_work
from collab.files import StoredFile

LIMIT = 5 * 1024 * 1024
ALL = (files.PDF, files.DOCX, files.PNG, files.JPEG)
CONTENT_TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
)
DOCUMENT = b'<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>'


def pdf(pages: int = 1, password: str = "", inside: bytes = b"") -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if inside:
        writer.add_attachment("inside.bin", inside)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def docx(extra: dict[str, bytes] | None = None, *, stored: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        parts = {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": DOCUMENT} | (extra or {})
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def png(width: int = 2, height: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0\xff\xff" * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int = 2, height: int = 2) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\x01\x01\x00\x00\x3f\x00"
    return (
        b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
        b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame
        + b"\xff\xda" + struct.pack(">H", len(scan) + 2) + scan + b"\x00\xff\xd9"
    )  # fmt: skip


@pytest.fixture
def receive(app: Flask) -> Callable[..., StoredFile]:
    """Receives an upload in a unit of work of its own, as a view does."""

    def receive(content: bytes, filename: str, **changes: Any) -> StoredFile:
        values: dict[str, Any] = {
            "department_id": 1,
            "purpose": "inquiry",
            "claim_token": "the form's secret",
            "max_bytes": LIMIT,
            "allowed": ALL,
        }
        with unit_of_work():
            return files.receive(io.BytesIO(content), filename, **(values | changes))

    return receive
