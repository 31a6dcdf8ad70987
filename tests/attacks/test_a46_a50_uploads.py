"""A46 disagreeing names and types · A47 path names · A48 bombs · A49 broken multipart · A50 the scanner's word."""

import contextlib
import io
import random
import resource
import socket
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

import pytest
from flask import Flask

from collab import files
from collab.core import site
from collab.core.errors import Invalid
from collab.files import StoredFile
from tests.files.conftest import ALL, CONTENT_TYPES, DOCUMENT, LIMIT, docx, jpeg, pdf, png
from tests.support.server import Server

Receive = Callable[..., StoredFile]


@pytest.fixture
def receive(app: Flask) -> Receive:
    from collab.core.db import unit_of_work

    def receive(
        content: bytes, filename: str, declared: str | None = None, max_bytes: int = LIMIT
    ) -> StoredFile:
        with unit_of_work():
            return files.receive(
                io.BytesIO(content), filename, department_id=1, purpose="p", claim_token="t", declared=declared,
                allowed=ALL, max_bytes=max_bytes,
            )  # fmt: skip

    return receive


def kept() -> list[str]:
    store = site.settings().instance / "files"
    return [path.name for path in store.rglob("*") if path.is_file()]


def refused(receive: Receive, content: bytes, name: str, declared: str | None = None, **limits: int) -> str:
    with pytest.raises(Invalid) as refusal:
        receive(content, name, declared, **limits)
    assert refusal.value.field == "attachment"
    assert refusal.value.message
    assert kept() == []
    return refusal.value.message


# -- A46 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a.exe", "a.php", "a.pdf.exe", "a.php.pdf", "a.pHp5.pdf", "a.PDF.HTML", "a.pdf.", "a.pdf ", "a.pdf...",
     "a.pdf\x00.png", ".htaccess", ".pdf", "pdf", "a", "", "a.", "a.pdf/", "a.pdf::$DATA", "a.svg", "a.asp.pdf",
     "a.shtml.jpg", "a.js.docx", "a.zip", "a.docm", "a.pdf\n"],
)  # fmt: skip
def test_a46_names_that_hide_or_lack_an_ending_are_refused(name: str, receive: Receive) -> None:
    refused(receive, pdf(), name)


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (png(), "a.pdf", None),
        (pdf(), "a.png", None),
        (docx(), "a.pdf", None),
        (b"MZ" + b"\0" * 200, "a.pdf", "application/pdf"),
        (b"<html><script>alert(1)</script>", "a.pdf", "application/pdf"),
        (b"\n%PDF-1.7" + pdf(), "a.pdf", None),
        (pdf(), "a.pdf", "text/html"),
        (pdf(), "a.pdf", "image/png"),
        (png(), "a.png", "image/svg+xml"),
        (b"", "a.pdf", None),
        (b"%PDF-1.7\nnothing more", "a.pdf", None),
        (b"GIF89a" + b"\0" * 100, "a.png", None),
    ],
)
def test_a46_name_claim_and_content_must_agree(
    content: bytes, name: str, declared: str | None, receive: Receive
) -> None:
    refused(receive, content, name, declared)


def archive_in(front: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.js", "alert(1)")
    return front + out.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (archive_in(pdf()), "a.pdf"),
        (archive_in(png()), "a.png"),
        (archive_in(jpeg()), "a.jpg"),
        (png() + b"<script>alert(1)</script>", "a.png"),
        (jpeg() + b"<html>" * 20_000, "a.jpg"),
        (docx() + pdf(), "a.docx"),
        (docx({"word/vbaProject.bin": b"macro"}), "a.docx"),
        (docx({"evil.exe": b"MZ"}), "a.docx"),
        (docx({"inner.zip": docx()}), "a.docx"),
    ],
)
def test_a46_two_kinds_in_one_are_refused(content: bytes, name: str, receive: Receive) -> None:
    refused(receive, content, name)


def test_a46_protected_files_are_refused_with_a_reason(receive: Receive) -> None:
    assert "password" in refused(receive, pdf(password="secret"), "a.pdf")


# -- A47 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../../evil.pdf", "..\\..\\evil.pdf", "/etc/evil.pdf", "\\\\host\\share\\evil.pdf", "C:\\evil.pdf", "con.pdf",
     "x" * 5000 + ".pdf", "a\u2215\u2215evil.pdf", "file:///evil.pdf", "~/evil.pdf", "$(id).pdf", "`id`.pdf"],
)  # fmt: skip
def test_a47_a_name_never_becomes_a_path(name: str, receive: Receive) -> None:
    instance = site.settings().instance
    before = {path for path in instance.parent.rglob("*") if (instance / "files") not in path.parents}
    file = receive(pdf(), name)
    assert (instance / "files" / file.key).is_file()
    assert file.key.isascii()
    assert "evil" not in file.key
    after = {path for path in instance.parent.rglob("*") if (instance / "files") not in path.parents}
    assert {path.name for path in after - before} <= {"files"}


@pytest.mark.parametrize(
    "inside", ["../../evil.xml", "/etc/evil.xml", "..\\evil.xml", "C:/evil.xml", "word/../../evil.xml"]
)
def test_a47_an_archive_with_names_that_point_outside_is_refused(inside: str, receive: Receive) -> None:
    refused(receive, docx({inside: b"x"}), "a.docx")


# -- A48 -------------------------------------------------------------------------------------------------------


def many_entries(count: int) -> bytes:
    return docx({f"word/p{n}.xml": b"" for n in range(count)}, stored=True)


def overlapping() -> bytes:
    content = bytearray(docx({"word/a.bin": b"A" * 5000, "word/b.bin": b"B" * 5000}, stored=True))
    first = content.find(b"PK\x01\x02")
    offsets = []
    while first >= 0:
        offsets.append(first)
        first = content.find(b"PK\x01\x02", first + 4)
    content[offsets[-1] + 42 : offsets[-1] + 46] = content[offsets[-2] + 42 : offsets[-2] + 46]
    return bytes(content)


def lying_sizes() -> bytes:
    content = bytearray(docx({"word/big.xml": b" " * 30_000_000}))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<L", 10)
    return bytes(content)


def xml_bomb() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><x>&l9;</x>'.encode()


def deep_pdf() -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj "
        + b"[" * 500_000
        + b"]" * 500_000
        + b" endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
    )


def flate_pdf() -> bytes:
    bomb = zlib.compress(zlib.compress(b"\0" * 50_000_000, 9), 9)
    head = f"1 0 obj<</Type/ObjStm/N 100000/First 10/Filter[/FlateDecode/FlateDecode]/Length {len(bomb)}>>stream\n"
    return (
        b"%PDF-1.7\n"
        + head.encode()
        + bomb
        + b"\nendstream endobj\ntrailer<</Root 2 0 R>>\nstartxref\n9\n%%EOF\n"
    )


def looping_pdf() -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>endobj\n"
        b"trailer<</Root 1 0 R/Size 3>>\nstartxref\n0\n%%EOF\n"
    )


def noise_pdf() -> bytes:
    return b"%PDF-1.7\n" + random.Random(7).randbytes(2_000_000).replace(b"PK", b"xx") + b"\n%%EOF\n"


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "1:1000": (lambda: docx({"word/big.xml": b" " * 50_000_000}), "a.docx"),
    "entries": (lambda: many_entries(20_000), "a.docx"),
    "overlapping": (overlapping, "a.docx"),
    "xml bomb": (lambda: docx({"word/x.xml": xml_bomb()}), "a.docx"),
    "xml bomb in the document": (lambda: docx_with(document=xml_bomb()), "a.docx"),
    "truncated docx": (lambda: docx()[:-30], "a.docx"),
    "no document": (lambda: docx_with(document=None), "a.docx"),
    "png of 900 million pixels": (lambda: png(30_000, 30_000), "a.png"),
    "png broken": (lambda: png()[:-4] + b"xxxx", "a.png"),
    "png cut": (lambda: png()[:40], "a.png"),
    "jpeg of 4 thousand million pixels": (lambda: jpeg(65_000, 65_000), "a.jpg"),
    "jpeg cut": (lambda: jpeg()[:12], "a.jpg"),
    "pdf deep": (deep_pdf, "a.pdf"),
    "pdf noise": (noise_pdf, "a.pdf"),
    "pdf looping": (looping_pdf, "a.pdf"),
    "pdf flate": (flate_pdf, "a.pdf"),
    "pdf of many pages": (lambda: pdf(301), "a.pdf"),
}


def docx_with(document: bytes | None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        if document is not None:
            archive.writestr("word/document.xml", document)
    return out.getvalue()


@pytest.mark.parametrize("name", BOMBS)
def test_a48_bombs_are_refused_soon_and_cheaply(name: str, receive: Receive) -> None:
    make, filename = BOMBS[name]
    content = make()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    refused(receive, content, filename)
    spent = time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - spent
    assert (
        spent < 4.0
    )  # of the processor's time; a parser in its own process is stopped after two seconds and a start
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 200_000  # KiB


def test_a48_sizes_that_lie_cost_nothing(receive: Receive) -> None:
    content = lying_sizes()
    began = time.process_time()
    try:
        receive(content, "a.docx")  # nothing here unpacks it
    except Invalid:
        assert kept() == []
    assert time.process_time() - began < 2


def test_a48_ordinary_documents_still_pass(receive: Receive) -> None:
    chapters = {f"word/chapter{n}.xml": DOCUMENT + b"<!-- text of a chapter -->" * 400 for n in range(30)}
    assert receive(docx(chapters), "thesis.docx").media_type == files.DOCX
    assert receive(pdf(300), "thesis.pdf").pages == 300


# -- A49 -------------------------------------------------------------------------------------------------------


def multipart(
    parts: bytes, *, host: str, boundary: str = "b", length: int | None = None, chunked: bool = False
) -> bytes:
    size = len(parts) if length is None else length
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = (
        f"POST /staff/sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n{how}\r\n\r\n"
    )
    return head.encode() + parts


def test_a49_broken_multipart_is_refused_and_others_are_served(server: Server) -> None:
    address = urlsplit(server.url)
    host = address.netloc
    field = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nv\r\n'
    attacks = {
        "100000 parts": multipart(field * 100_000 + b"--b--\r\n", host=host),
        "no name": multipart(b"--b\r\nContent-Disposition: form-data\r\n\r\nv\r\n--b--\r\n", host=host),
        "endless part header": multipart(b"--b\r\n" + b"X: y\r\n" * 200_000 + b"\r\n", host=host),
        "huge preamble": multipart(b"p" * 3_000_000 + b"\r\n" + field + b"--b--\r\n", host=host),
        "no end": multipart(field * 10, host=host),
        "no boundary": multipart(field, boundary="", host=host),
        "very long boundary": multipart(field, boundary="b" * 5000, host=host),
        "too much": multipart(b"", length=10**12, host=host),
        "negative": multipart(field, length=-5, host=host),
        "chunked rubbish": multipart(b"zz\r\nhello\r\n", chunked=True, host=host),
    }
    for what, request in attacks.items():
        status = first_line(address, request)
        assert status is None or 400 <= status < 500, (what, status)
        assert fetch(address) < 2, what


def first_line(address: SplitResult, request: bytes) -> int | None:
    """The status of the answer; ``None`` when the server just hung up."""
    with socket.create_connection((address.hostname, address.port), timeout=60) as wire:
        with contextlib.suppress(OSError):  # it may have heard enough
            wire.sendall(request)
        try:
            answer = wire.recv(4096)
        except OSError:
            return None
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else None


def fetch(address: SplitResult) -> float:
    began = time.monotonic()
    with socket.create_connection((address.hostname, address.port), timeout=60) as wire:
        wire.sendall(f"GET /healthz HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
        assert b" 200 " in wire.recv(4096)
    return time.monotonic() - began


def test_a49_slow_bodies_do_not_slow_others_down(server: Server) -> None:
    address = urlsplit(server.url)
    wires = []
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.2):
            for wire in wires:
                with contextlib.suppress(OSError):
                    wire.sendall(b"x")

    try:
        for _ in range(30):
            wire = socket.create_connection((address.hostname, address.port), timeout=60)
            wire.sendall(multipart(b"--b\r\n", length=500_000, host=address.netloc))
            wires.append(wire)
        dripping = threading.Thread(target=drip)
        dripping.start()
        time.sleep(0.5)
        assert sorted(fetch(address) for _ in range(15))[12] < 1.0
        stop.set()
        dripping.join()
    finally:
        stop.set()
        for wire in wires:
            wire.close()
    assert fetch(address) < 2


# -- A50: see tests/faults/test_file_faults.py (F21) for the scanner that is stopped ---------------------------


def test_a50_what_was_not_checked_is_not_called_clean(receive: Receive) -> None:
    file = receive(pdf(), "a.pdf")
    assert file.scan is files.ScanState.NOT_CHECKED
    assert str(file.scan.label) == "Not checked for viruses"
