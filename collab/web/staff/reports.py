"""The figures: the report, the fairness report, and their tables and the list of inquiries to take away."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, abort, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from collab import audit, reports
from collab.accounts.permissions import Permission, check, departments_where, may
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Invalid, NotFound
from collab.core.wording import format_day
from collab.departments import Department, Track
from collab.inquiries import queries
from collab.reports import Month, Scope, Table, charts, exports, tables
from collab.reports.report import HIDDEN, Kind
from collab.reports.report import track_name as name_of_track
from collab.reports.sums import FIRST_YEAR
from collab.reports.tables import Column
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.downloads import disposition
from collab.web.staff import bp
from collab.web.staff.queue import asked_view
from collab.web.staff_chrome import departments_here

_ASKED = frozenset({"department", "from", "to", "track", "area"})
_TYPES = {"csv": tables.CSV_TYPE, "xlsx": tables.XLSX_TYPE}


@bp.get("/reports", endpoint="reports")
@requires(Permission.SEE_REPORTS)
def reports_page() -> ResponseReturnValue:
    """The department's figures."""
    scope = _scope()
    who, lang, here = actor(), hooks.language(), scope.department
    sees = may(who, Permission.SEE_ALL_INQUIRIES, here.id)
    found = reports.report(scope, lang=lang, protected=_protected(scope))
    listed: list[Table] = []
    if sees:
        listed.append(reports.unanswered(scope, seen_by=who, lang=lang, most=reports.lists.SHOWN))
    if may(who, Permission.DECIDE, here.id):
        listed += reports.loads(scope, seen_by=who)
    return render_template(
        "staff/reports/report.html",
        scope=scope,
        report=found,
        lists=listed,
        drawn=_charts(found),
        takes_list=sees,
        presets=_presets(scope),
        tracks=[(str(track), name_of_track(track)) for track in Track],
        areas=[(area.code, area.name.get(lang)) for area in here.settings.areas],
        departments=_departments(),
        args=_args(scope),
        cell=_cell,
        Kind=Kind,
    )


@bp.get(
    "/reports/<any(open,ages,tracks,months,outcomes,reasons,countries,areas,kinds,languages,sources):key>"
    ".<any(csv,xlsx):ending>"
)
@requires(Permission.SEE_REPORTS)
def reports_table(key: str, ending: str) -> ResponseReturnValue:
    """One table of the report."""
    scope = _scope()
    table = reports.report(scope, lang=hooks.language(), protected=_protected(scope)).table(key)
    if table is None:
        raise NotFound
    return _table(table, ending, scope.department, scope.first, scope.last)


@bp.get("/reports/<any(unanswered,coordinators,hosts,reviewers):key>.<any(csv,xlsx):ending>")
@requires(Permission.SEE_REPORTS)
def reports_list(key: str, ending: str) -> ResponseReturnValue:
    """A list with names, as a table: for those who see them on the page."""
    scope = _scope()
    who, here = actor(), scope.department
    if key == "unanswered":
        check(who, Permission.SEE_ALL_INQUIRIES, here.id)
        table = reports.unanswered(scope, seen_by=who, lang=hooks.language())
    else:
        check(who, Permission.DECIDE, here.id)
        table = next(one for one in reports.loads(scope, seen_by=who) if one.key == key)
    return _table(table, ending, here, clock.today(here.timezone))


def _protected(scope: Scope) -> bool:
    """Whether small numbers are left out: for who sees no inquiries here, and for who must learn nothing of one.

    Otherwise a month, a track and an area with one inquiry would say what came of that one.
    """
    who, here = actor(), scope.department.id
    return not may(who, Permission.SEE_ALL_INQUIRIES, here) or queries.any_closed_to(who, here)


@bp.get("/reports/fairness")
@requires(Permission.SEE_REPORTS)
def reports_fairness() -> ResponseReturnValue:
    """Acceptance and times of whole years, compared; small numbers left out for everybody."""
    here, year = _year()
    return render_template(
        "staff/reports/fairness.html",
        report=reports.fairness(here, year, lang=hooks.language()),
        years=reports.years(here),
        departments=_departments(),
        here=here,
        args={**_department_args(here), "year": str(year)},
        cell=_cell,
        Kind=Kind,
    )


@bp.get("/reports/fairness/<any(country_groups,tracks,kinds,languages):key>.<any(csv,xlsx):ending>")
@requires(Permission.SEE_REPORTS)
def reports_fairness_table(key: str, ending: str) -> ResponseReturnValue:
    """One table of the fairness report."""
    here, year = _year()
    for table in reports.fairness(here, year, lang=hooks.language()).tables:
        if table.key == key:
            return _table(table, ending, here, "fairness", year)
    raise NotFound


@bp.post("/reports/inquiries.<any(csv,xlsx):ending>")
@requires(Permission.SEE_ALL_INQUIRIES)
def reports_inquiries(ending: str) -> ResponseReturnValue:
    """The inquiries of the report's period, with names: all that this person may see of them."""
    scope = _scope()
    check(actor(), Permission.SEE_ALL_INQUIRIES, scope.department.id)
    rows = exports.of_period(scope, seen_by=actor(), lang=hooks.language())
    asked, here = scope.to_args(), scope.department
    return _inquiries(rows, ending, here, [here.id], asked, scope.first, scope.last)


@bp.post("/inquiries.<any(csv,xlsx):ending>")
@requires(Permission.SEE_ALL_INQUIRIES)
def queue_export(ending: str) -> ResponseReturnValue:
    """What the queue shows in the view of this address, from its first page to its last."""
    view = asked_view()
    here = next(iter(_departments(Permission.SEE_ALL_INQUIRIES)))
    rows = exports.of_view(view, seen_by=actor(), lang=hooks.language())
    whose = exports.departments_of_view(view, seen_by=actor())
    # What somebody searched for may name a person: it is not written down.
    asked = {name: "…" if name == "q" else value for name, value in view.to_args().items()}
    return _inquiries(rows, ending, here, whose, asked, clock.today(here.timezone))


def inquiries_file(ids: Sequence[int]) -> Response:
    """Some inquiries as CSV."""
    here = next(iter(_departments(Permission.SEE_ALL_INQUIRIES)))
    rows = exports.of_ids(ids, seen_by=actor(), lang=hooks.language())
    whose = exports.departments_of_ids(ids, seen_by=actor())
    asked = {"chosen": str(len(ids))}
    return _inquiries(rows, "csv", here, whose, asked, clock.today(here.timezone))


def _inquiries(
    rows: Iterator[tuple[Any, ...]],
    ending: str,
    here: Department,
    whose: Sequence[int],
    asked: dict[str, str],
    *parts: object,
) -> Response:
    """The table, written down with each department whose inquiries are in it; an empty one with the person's own."""
    zone, slug = here.timezone, here.slug
    detail = {"ending": ending, "asked": asked}
    with unit_of_work():
        for department_id in whose or [here.id]:
            audit.record("inquiry.exported", by=actor(), department_id=department_id, detail=detail)
    return _download(
        exports.columns(),
        rows,
        ending,
        name=tables.file_name(slug, "inquiries", *parts, ending=ending),
        sheet=_("Inquiries"),
        timezone=zone,
    )


def _table(table: Table, ending: str, here: Department, *parts: object) -> Response:
    columns = [
        Column(
            f"{head.title} (%)" if head.kind is Kind.SHARE else head.title,
            32 if head.kind is Kind.TEXT else 14,
        )
        for head in table.heads
    ]
    rows = [[str(cell) if cell is HIDDEN else cell for cell in row] for row in table.all_rows]
    return _download(
        columns,
        rows,
        ending,
        name=tables.file_name(here.slug, table.key.replace("_", "-"), *parts, ending=ending),
        sheet=table.title,
        timezone=here.timezone,
    )


def _download(
    columns: list[Column], rows: Iterable[Any], ending: str, *, name: str, sheet: str, timezone: str
) -> Response:
    if ending == "csv":
        stream = tables.csv_stream(columns, rows, timezone=timezone)
    else:
        stream = tables.xlsx_stream(columns, rows, sheet=sheet, timezone=timezone)
    response = Response(stream_with_context(stream), content_type=_TYPES[ending])
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _cell(value: Any, kind: Kind) -> str:
    """A cell as the page shows it."""
    if value is HIDDEN:
        return Markup('<span class="sub">{}</span>').format(value)
    if value is None:
        return "–"
    if kind is Kind.TEXT:
        return Markup("<bdi>{}</bdi>").format(value)
    if kind is Kind.SHARE:
        return f"{value:.0f}%" if hooks.language() == "zh" else f"{value:.0f} %"
    return format_day(value, hooks.language()) if kind is Kind.DAY else f"{value:,}"


# -- what the address says -----------------------------------------------------------------------------------------


def _departments(permission: Permission = Permission.SEE_REPORTS) -> list[Department]:
    mine = departments_where(actor(), permission)
    return [one for one in departments_here().values() if one.id in mine]


def _department() -> Department:
    """The department asked for, or the first one this person has."""
    mine = _departments()
    slug = request.args.get("department")
    if not slug:
        return mine[0]
    for one in mine:
        if one.slug == slug:
            return one
    raise NotFound


def _asked(allowed: frozenset[str]) -> dict[str, str]:
    """The values of the address; what no report has is answered with 400."""
    if request.args.keys() - allowed or any(len(values) > 1 for _name, values in request.args.lists()):
        abort(400)
    return {name: value for name, value in request.args.items() if value}


def _scope() -> Scope:
    args = _asked(_ASKED)
    try:
        return Scope.parse(_department(), args)
    except Invalid:
        abort(400)


def _year() -> tuple[Department, int]:
    args = _asked(frozenset({"department", "year"}))
    here = _department()
    known = reports.years(here)
    year = args.get("year", str(known[0]))
    if year not in {str(one) for one in known}:
        abort(400)
    return here, int(year)


def _department_args(here: Department) -> dict[str, str]:
    return {"department": here.slug} if len(_departments()) > 1 else {}


def _args(scope: Scope) -> dict[str, str]:
    return {**_department_args(scope.department), **scope.to_args()}


def _presets(scope: Scope) -> list[tuple[str, str, bool]]:
    """Periods one often wants: their name, address, and whether it is the one shown."""
    this = Month.of(clock.today(scope.department.timezone))
    periods = [
        (_("Last 3 months"), this.plus(-2), this),
        (_("Last 12 months"), this.plus(-11), this),
        (_("This year"), Month(this.year, 1), this),
        (_("Last year"), Month(this.year - 1, 1), Month(this.year - 1, 12)),
        (_("All years"), Month(FIRST_YEAR, 1), this),
    ]
    rest: dict[str, Any] = {name: value for name, value in _args(scope).items() if name not in {"from", "to"}}
    return [
        (
            label,
            url_for(".reports", **{**rest, "from": str(first), "to": str(last)}),
            (scope.first, scope.last) == (first, last),
        )
        for label, first, last in periods
    ]


def _charts(report: reports.Report) -> dict[str, Markup]:
    """The charts that have something to show; their texts are escaped where they are drawn."""
    drawn = {}
    received, first = report.series["received"], report.series["first"]
    if charts.shows(received):
        drawn["received"] = charts.columns(received, id="received", title=_("Inquiries received by month"))
    if charts.shows(first):
        drawn["first"] = charts.line(
            first,
            id="first",
            title=_("Working days to the first answer, median, by month in which they came"),
        )
    return {name: Markup(chart) for name, chart in drawn.items()}  # noqa: S704
