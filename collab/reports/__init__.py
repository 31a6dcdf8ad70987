"""Figures for heads and viewers, the public page of how we answer, and the tables that leave the portal.

``definitions`` says what each figure means, ``facts`` what one inquiry adds to them; ``keeping`` keeps their sums, so
that a report over a million inquiries reads a few thousand rows, and ``sums`` reads them. ``report``, ``fairness``,
``answering`` and ``lists`` make of them what people read. ``tables`` is the one writer of CSV and XLSX.
"""

from collab.reports import charts, exports, keeping, lists, tables
from collab.reports.answering import Answering, answering
from collab.reports.fairness import Fairness, fairness, years
from collab.reports.lists import loads, unanswered
from collab.reports.report import HIDDEN, KeyFigure, Kind, Report, Table, report
from collab.reports.sums import Month, Scope

__all__ = [
    "HIDDEN",
    "Answering",
    "Fairness",
    "KeyFigure",
    "Kind",
    "Month",
    "Report",
    "Scope",
    "Table",
    "answering",
    "charts",
    "exports",
    "fairness",
    "keeping",
    "lists",
    "loads",
    "report",
    "tables",
    "unanswered",
    "years",
]
