"""A30 file names as payload · A31, A32 what a download may do in a browser · A03 guessing where files lie."""

import io
from collections.abc import Callable
from email.message import Message

import pytest

from collab import files
from collab.core.db import db, unit_of_work
from collab.core.errors import Invalid
from collab.departments import Department
from collab.files import StoredFile
from collab.web.downloads import disposition
from tests.support import partners
from tests.support.client import Client
from tests.support.people import Staff

NAMES = [
    '"><script>alert(1)</script>.pdf',
    "a\r\nSet-Cookie: x=1.pdf",
    "a\x00b.pdf",
    "invoice\u202efdp.exe.pdf".replace("exe", "docs"),
    "../../../etc/passwd.pdf",
    "..\\..\\windows\\system.pdf",
    "/absolute/path.pdf",
    "\\\\server\\share\\a.pdf",
    "C:\\a.pdf",
    "a\u2215b\uff0fc.pdf",
    "con.pdf",
    "NUL.pdf",
    "x" * 5000 + ".pdf",
    "简历（王小明）.pdf",
    'quote"and\\back.pdf',
    "semi;colon=x.pdf",
    "%0d%0aX: y.pdf",
    " spaces  .pdf",
    "' onmouseover='alert(1).pdf",
    "{{7*7}}.pdf",
    "=cmd|' /C calc'!A0.pdf",
    "\ufeffbom.pdf",
    "a\u2028b.pdf",
]


def attach(department: Department, name: str) -> tuple[str, StoredFile]:
    made = partners.inquiry(department)
    with unit_of_work():
        file = files.receive(
            io.BytesIO(partners.pdf()),
            name,
            department_id=department.id,
            purpose="p",
            claim_token="t",
            max_bytes=10**6,
        )
        files.attach(file, owner=("inquiry", made.id))
    return made.reference, file


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a30_a_name_is_shown_and_sent_as_text_only(name: str) -> None:
    shown = files.display_name(name)
    assert shown
    assert len(shown) <= 120
    assert shown.isprintable()
    assert not set(shown) & set('/\\<>:"|?*\u2215\uff0f')
    assert not shown.startswith((".", " "))
    assert shown.endswith(".pdf")
    header = disposition(shown)
    assert header.isascii()
    assert header.isprintable()
    parsed = Message()
    parsed["Content-Disposition"] = header
    assert parsed.get_content_disposition() == "attachment"
    assert (
        parsed.get_param("filename*", header="content-disposition") is None or parsed.get_filename() == shown
    )
    assert header.count("filename=") == 1
    assert header.count("filename*=") == 1


def test_a30_hostile_names_are_inert_on_the_page_and_in_the_header(
    department: Department, staff: Callable[..., Staff]
) -> None:
    reader = staff("coordinator")
    for name in ('"><script>alert(1)</script>.pdf', "a\r\nSet-Cookie: evil=1.pdf"):
        reference, file = attach(department, name)
        page = reader.get(f"/staff/inquiries/{reference}")
        assert page.status_code == 200
        assert "<script>alert(1)" not in page.text
        got = reader.get(f"/staff/inquiries/{reference}/files/{file.id}")
        assert got.status_code == 200
        assert "evil" not in got.headers.get("Set-Cookie", "")
        assert got.headers.getlist("Content-Disposition") == [disposition(file.filename)]


def test_a31_a_download_is_saved_never_shown_and_runs_nothing(
    department: Department, staff: Callable[..., Staff]
) -> None:
    reference, file = attach(department, "plan.pdf")
    got = staff("coordinator").get(f"/staff/inquiries/{reference}/files/{file.id}")
    assert got.data == partners.pdf()
    assert got.headers["Content-Type"] == "application/pdf"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert got.headers["Cache-Control"] == "private, no-store"
    assert got.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert int(got.headers["Content-Length"]) == len(got.data)


@pytest.mark.parametrize("ending", ["svg", "html", "xml", "xhtml", "mhtml", "js", "htm", "shtml", "css"])
def test_a31_a32_what_a_browser_would_run_is_not_taken(department: Department, ending: str) -> None:
    drawing = io.BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    with pytest.raises(Invalid), unit_of_work():
        files.receive(
            drawing, f"a.{ending}", department_id=department.id, purpose="p", claim_token="t", max_bytes=10**6,
            allowed=(files.PDF, files.DOCX, files.PNG, files.JPEG),
        )  # fmt: skip


def test_a01_a03_files_are_found_through_their_inquiry_and_nowhere_else(
    department: Department, staff: Callable[..., Staff], client: Client
) -> None:
    reference, file = attach(department, "mine.pdf")
    other, _ = attach(department, "other.pdf")
    reader = staff("coordinator")
    assert reader.get(f"/staff/inquiries/{other}/files/{file.id}").status_code == 404
    assert reader.get(f"/staff/inquiries/{reference}/files/{file.id + 1000}").status_code == 404
    db.session.rollback()
    key = file.key
    paths = [
        f"/{root}{key}"
        for root in ("", "static/", "media/", "uploads/", "files/", "instance/files/", "static/../")
    ]
    for path in [
        *paths,
        f"/static/..%2f..%2finstance%2ffiles%2f{key}",
        f"/en/files/{file.id}",
        f"/files/{file.id}",
    ]:
        assert client.get(path).status_code == 404, path
