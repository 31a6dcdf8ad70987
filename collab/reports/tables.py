"""The one writer of tables that leave the portal: CSV and XLSX, row by row, and no cell ever starts a formula.

Both are streams: nothing is kept on a disk, and memory does not grow with the rows. A cell is a text, a number, a
day, a moment (without a zone: in UTC), yes or no, or nothing; what a cell is follows from its value.

- **CSV**: UTF-8 with its mark, so that spreadsheets read Chinese. A text that a spreadsheet would take for a formula
  gets an apostrophe in front, in cells and headers alike, also behind a semicolon, tab or line end inside the text
  (some read those as the next cell). ``restore`` takes exactly these apostrophes away again: ``+49 30 1234567``
  leaves as ``'+49 30 1234567`` and comes back whole. ``read_csv`` does both ways at once.
- **XLSX**: a text is written as a text, never as a formula, and marked as such for whoever edits the cell.
"""

import csv
import io
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: A stream is handed on in pieces of about this size.
PIECE = 64 * 1024
#: A sheet ends here and the next one begins; a spreadsheet takes 1,048,576 rows, with the header.
ROWS_A_SHEET = 1_000_000
#: The longest text a spreadsheet's cell takes, in UTF-16 units.
LONGEST = 32_767


@dataclass(frozen=True)
class Column:
    """A column's header, and how wide it is shown in a workbook (in characters)."""

    title: str
    width: int = 16


Row = Sequence[Any]


def file_name(*parts: object, ending: str) -> str:
    """A name that is nothing but letters, digits, dashes and dots, whatever it is made of."""
    words = (re.sub(r"[^A-Za-z0-9_]+", "-", str(part)).strip("-") for part in parts)
    return f"{'-'.join(word for word in words if word) or 'table'}.{ending}"


# -- what a spreadsheet takes for a formula --------------------------------------------------------------------------

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_BEFORE = "\"'\\s\u200b-\u200f\u2060\ufeff"
_FORMULA = rf"[{_BEFORE}]*[{_SIGNS}]"
_STARTS = re.compile(rf"(?:^(?='*[\t\r\n])|(?:^|(?<=[;\t\r\n]))(?={_FORMULA}))")
_GUARDED = re.compile(rf"(?:^'(?='*[\t\r\n])|(?:^|(?<=[;\t\r\n]))'(?={_FORMULA}))")


#: With none of these in front, and no cell's end inside, there is nothing to look for: so it is with nearly all texts.
_FIRST = frozenset(re.findall(f"[{_SIGNS}{_BEFORE}]", "".join(map(chr, range(0x10000)))))


def guard(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would begin a formula; others as they are."""
    if not text or (text[0] not in _FIRST and ";" not in text and text.isprintable()):
        return text
    return _STARTS.sub("'", text)


def restore(text: str) -> str:
    """What ``guard`` was given."""
    return _GUARDED.sub("", text)


# -- CSV -------------------------------------------------------------------------------------------------------------


def csv_stream(columns: Sequence[Column], rows: Iterable[Row], *, timezone: str = "UTC") -> Iterator[bytes]:
    """A table as CSV, piece by piece.

    :param timezone: at which place moments are told.
    """
    zone = ZoneInfo(timezone)
    buffer = io.StringIO()
    write = csv.writer(buffer).writerow
    buffer.write("\ufeff")
    write([guard(column.title) for column in columns])
    for row in rows:
        write(
            [
                guard(cell) if (kind := type(cell)) is str
                else cell if cell is None or kind is int
                else str(cell.astimezone(zone) if cell.tzinfo else zone.fromutc(cell.replace(tzinfo=zone)))[:19]
                if kind is datetime
                else _plain(cell)
                for cell in row
            ]
        )  # fmt: skip
        if buffer.tell() >= PIECE:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")


def _plain(cell: Any) -> Any:
    """A cell that is neither text nor moment, as CSV has it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float | Decimal):
        return cell if math.isfinite(cell) else ""
    if isinstance(cell, date):
        return cell.isoformat()
    return guard(str(cell))


def read_csv(content: bytes) -> list[list[str]]:
    """The rows of a table written by ``csv_stream``, header first, each text as it was."""
    text = content.decode("utf-8-sig")
    return [[restore(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]


# -- XLSX ------------------------------------------------------------------------------------------------------------


def xlsx_stream(
    columns: Sequence[Column], rows: Iterable[Row], *, sheet: str = "Table", timezone: str = "UTC"
) -> Iterator[bytes]:
    """A table as a workbook, piece by piece.

    :param sheet: the sheet's name; what a sheet's name may not hold is left out.
    :param timezone: at which place moments are told.
    """
    out = _Pipe()
    name = re.sub(r"[^\w .-]+", " ", sheet).strip(" '")[:24] or "Table"
    sheets = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as book:
        for path, content in _BEGINNING.items():
            book.writestr(path, content)
        cells = _Cells(len(columns), ZoneInfo(timezone))
        source = iter(rows)
        more = True
        while more:
            sheets += 1
            with book.open(f"xl/worksheets/sheet{sheets}.xml", "w") as part:
                part.write(_head(columns, cells).encode("utf-8", "replace"))
                more = yield from _rows(source, cells, part.write, out)
                part.write(b"</sheetData></worksheet>")
        names = [name if number == 1 else f"{name} {number}" for number in range(1, sheets + 1)]
        for path, content in _end(names).items():
            book.writestr(path, content)
    yield out.take()


def _rows(source: Iterator[Row], cells: "_Cells", write: Callable[[bytes], Any], out: "_Pipe") -> Any:
    """The rows of one sheet; returns whether there are more than it takes."""
    pending: list[str] = []
    size = 0
    for number, row in enumerate(source, start=2):
        text = cells.row(number, row)
        pending.append(text)
        size += len(text)
        if size >= PIECE:
            write("".join(pending).encode("utf-8", "replace"))
            pending.clear()
            size = 0
            if out.waits:
                yield out.take()
        if number > ROWS_A_SHEET:
            write("".join(pending).encode("utf-8", "replace"))
            return True
    write("".join(pending).encode("utf-8", "replace"))
    return False


class _Pipe:
    """What the archive is written to; it cannot be wound back, so the archive is made for reading once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here for anything but ``take``."""

    def close(self) -> None:
        """What was written is taken all the same."""

    @property
    def waits(self) -> bool:
        return bool(self._pieces)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


#: Styles of cells, as ``styles.xml`` below numbers them.
_TEXT, _MARKED, _DAY, _MOMENT, _HEADER = 1, 2, 3, 4, 5
_EPOCH = date(1899, 12, 30).toordinal()
#: The calendar of spreadsheets is right from here on.
_FIRST_DAY = date(1900, 3, 1)
_CODE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class _Cells:
    """Rows as XML."""

    def __init__(self, width: int, zone: ZoneInfo) -> None:
        self._letters = [_letters(number) for number in range(width)]
        self._zone = zone

    def row(self, number: int, row: Row) -> str:
        cells = [
            self.cell(f"{letter}{number}", cell) for letter, cell in zip(self._letters, row, strict=True)
        ]
        return f'<row r="{number}">{"".join(cells)}</row>'

    def cell(self, place: str, cell: Any, style: int | None = None) -> str:
        if cell is None or cell == "":
            return ""
        if type(cell) is str:
            return self._text(place, cell, style)
        if isinstance(cell, bool):
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        if isinstance(cell, int | float | Decimal):
            return f'<c r="{place}"><v>{cell}</v></c>' if math.isfinite(cell) else ""
        if isinstance(cell, datetime):
            local = (
                cell.astimezone(self._zone)
                if cell.tzinfo
                else self._zone.fromutc(cell.replace(tzinfo=self._zone))
            )
            seconds = local.hour * 3600 + local.minute * 60 + local.second
            return self._day(place, local.date(), _MOMENT, seconds / 86400)
        if isinstance(cell, date):
            return self._day(place, cell, _DAY)
        return self._text(place, str(cell), style)

    def _day(self, place: str, day: date, style: int, part: float = 0) -> str:
        if day < _FIRST_DAY:
            return self._text(place, day.isoformat(), None)
        return f'<c r="{place}" s="{style}"><v>{day.toordinal() - _EPOCH + part:.15g}</v></c>'

    @staticmethod
    def _text(place: str, text: str, style: int | None) -> str:
        if len(text) > LONGEST // 2:
            text = text.encode("utf-16-le", "replace")[: 2 * LONGEST].decode("utf-16-le", "ignore")
        if style is None:
            style = _TEXT if guard(text) is text else _MARKED
        shown = _FORBIDDEN.sub("\ufffd", _CODE.sub("_x005F_", text)).replace("\r", "_x000D_")
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(shown)}</t></is></c>'


def _letters(number: int) -> str:
    """A, B, … Z, AA: how spreadsheets count columns."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_BEGINNING = {
    # How many sheets there will be is not known yet: whatever is not named here is one.
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_SHEET}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET}.styles+xml"/></Types>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/styles.xml": f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="6"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1" '
    'applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def _head(columns: Sequence[Column], cells: _Cells) -> str:
    """A sheet up to its first row: the header stays in sight."""
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{column.width}" customWidth="1"/>'
        for number, column in enumerate(columns, start=1)
    )
    titles = "".join(
        cells.cell(f"{_letters(number)}1", str(column.title), _HEADER)
        for number, column in enumerate(columns)
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{widths}</cols><sheetData><row r="1">{titles}</row>'
    )


def _end(names: Sequence[str]) -> dict[str, str]:
    """The parts that name the sheets."""
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(names) + 1)
    )
    styles = f'<Relationship Id="rId{len(names) + 1}" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
    return {
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
        f"<sheets>{sheets}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f"{relations}{styles}</Relationships>",
    }
