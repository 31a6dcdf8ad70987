"""The record of a decision as a page and as PDF: on two pages, with the sentence, and nothing fetched from anywhere."""

import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pypdf
import pytest

from collab import reviews
from collab.core.db import db
from collab.inquiries import Inquiry
from collab.web import pdf
from tests.support import html
from tests.support.deciding import reviewed
from tests.support.people import Staff
from tests.support.statements import queries, statements
from tests.support.world import World

with_pdf = pytest.mark.skipif(find_spec("weasyprint") is None, reason="the extra pdf is not installed")
SENTENCE = "Four days of the counter are possible, and the question matters to both sides."


@pytest.fixture
def decided(world: World) -> Callable[..., str]:
    """The address of an inquiry that was decided."""

    def decided(verdict: str = "accept", **given: Any) -> str:
        facts = {name: given.pop(name) for name in ("because", "deviation", "letter") if name in given}
        id = reviewed(world, 5, 4, comment="Has data.", **given)
        world.decide(id, verdict, **{"because": SENTENCE, **facts})
        return f"/staff/inquiries/{world.get(id).reference}"

    return decided


def pages(content: bytes) -> list[str]:
    """The text of each page, in one line."""
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def test_the_page_says_everything_in_both_languages(decided: Callable[..., str], head: Staff) -> None:
    address = decided("conditional")
    page = html.text_of(head.page(f"{address}/record"))
    for words in (
        SENTENCE, "Accept with conditions", "Propose accepting", "87.5 points of 100", "Reviewer 1", "Has data.",
        "Transfer agreement signed", "Looked up.", "this is our letter", "Nobody was excluded", "Seal (SHA-256)",
        "What is printed here is what was kept then.",
    ):  # fmt: skip
        assert words in page, words
    chinese = html.text_of(head.page(f"{address}/record?lang=zh"))
    for words in (SENTENCE, "决定记录", "有条件同意", "87.5 分", "此处内容与存档时一致"):
        assert words in chinese, words


def test_taken_back_and_replaced_are_marked(world: World, decided: Callable[..., str], head: Staff) -> None:
    address = decided("waitlist", deviation="No place.")
    id = db.session.query(Inquiry).filter_by(reference=address.rpartition("/")[2]).one().id
    world.end_hold(id)
    world.decide(id, "accept", because="A place is free.")
    assert "Replaced by a later decision" in html.text_of(head.page(f"{address}/record?number=1"))
    assert "A place is free." in html.text_of(head.page(f"{address}/record"))
    world.do(reviews.take_back, id, by=world.actor("head"))
    page = html.text_of(head.page(f"{address}/record"))
    assert "Taken back" in page
    assert "The letter was never sent" in page
    assert "Replaced" not in html.text_of(head.page(f"{address}/record?number=1"))


def test_an_erased_inquiry_keeps_a_page(world: World, decided: Callable[..., str], head: Staff) -> None:
    from collab import privacy

    address = decided("decline", full_name="Ingrid Beispiel", deviation="No.", because="Ingrid has no lab.")
    id = db.session.query(Inquiry).filter_by(reference=address.rpartition("/")[2]).one().id
    world.end_hold(id)
    world.do(privacy.erase, id, by=world.actor("coordinator"))
    page = html.text_of(head.page(f"{address}/record"))
    assert "Ingrid" not in page
    assert "Decline" in page
    assert "were erased" in page


def test_without_the_extra_the_page_says_how_to_print(
    decided: Callable[..., str], head: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = decided()
    monkeypatch.setattr(pdf, "available", lambda: False)
    page = head.get(f"{address}/record")
    assert "record.pdf" not in page.text
    assert "print this page" in page.text
    answer = head.get(f"{address}/record.pdf")
    assert answer.status_code == 404
    assert "does not write PDF itself" in answer.text


@with_pdf
def test_the_pdf_has_two_pages_and_the_sentence(decided: Callable[..., str], head: Staff) -> None:
    address = decided("conditional")
    for lang, title in (("en", "Record of a decision"), ("zh", "决定记录")):
        answer = head.get(f"{address}/record.pdf?lang={lang}")
        assert answer.status_code == 200
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="')
        assert answer.headers["Cache-Control"] == "private, no-store"
        first, second = pages(answer.data)
        assert title in first
        assert SENTENCE in first
        assert "Has data." in second
        assert "this is our letter" in second
        assert first.endswith("1 / 2")
        assert second.endswith("2 / 2")


@with_pdf
def test_a_pdf_holds_all_of_long_texts(decided: Callable[..., str], head: Staff) -> None:
    address = decided(letter="A long letter.\n" + "Line after line.\n" * 200 + "The very end.")
    found = pages(head.get(f"{address}/record.pdf").data)
    assert len(found) > 2
    assert "The very end." in found[-1] + found[-2]


@with_pdf
def test_a29_markup_in_texts_is_text_and_nothing_is_fetched(
    decided: Callable[..., str], head: Staff, tmp_path: Any
) -> None:
    secret = tmp_path / "secret.css"
    secret.write_text("body { color: red }")
    hostile = (
        f'<link rel=stylesheet href="file://{secret}"><img src="http://127.0.0.1:9/x"><script>alert(1)</script>'
        "<style>@import url(http://127.0.0.1:9/y)</style>"
    )
    address = decided(because=hostile[:480], title="<b>bold</b>", letter=hostile)
    page = head.get(f"{address}/record")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    text = " ".join(pages(head.get(f"{address}/record.pdf").data))
    assert "<b>bold</b>" in text
    assert "<script>alert(1)</script>" in text


@with_pdf
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:9/x",
        "data:text/css,body{}",
        "collab-static:../../pyproject.toml",
        "collab-static:/etc/passwd.css",
        "collab-static:js/site.js",
        "collab-static:css/../../templates/base.css",
        "collab-static:",
    ],
)
def test_the_fetcher_gives_out_our_stylesheets_and_refuses_the_rest(address: str) -> None:
    ours = pdf.fetcher()
    assert b".record" in ours.fetch("collab-static:css/record.css").read()
    with pytest.raises(ValueError, match="not one of ours"):
        ours.fetch(address)


@with_pdf
def test_a_sheet_that_names_other_addresses_asks_nobody() -> None:
    """A server that listens would see it."""
    import socket
    import threading

    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        port = listening.getsockname()[1]
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, _address = listening.accept()
                except TimeoutError:
                    continue
                seen.append(connection.recv(100))
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        written = pdf.write(
            f'<html lang="en"><head><title>x</title><link rel="stylesheet" href="http://127.0.0.1:{port}/a.css">'
            f'<style>@import url("http://127.0.0.1:{port}/b.css"); p {{ background: url(http://127.0.0.1:{port}/c) }}'
            f'</style></head><body><p>Text<img alt="" src="http://127.0.0.1:{port}/d.png"></p></body></html>'
        )
        done.set()
        thread.join(10)
    assert "Text" in pages(written)[0]
    assert seen == []


@pytest.mark.one_database
def test_a_record_takes_few_queries(decided: Callable[..., str], head: Staff) -> None:
    address = decided()
    head.page(f"{address}/record")
    with statements(db.engine) as found:
        head.page(f"{address}/record")
    assert len(queries(found)) <= 12
