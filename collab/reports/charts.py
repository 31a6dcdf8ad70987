"""Charts over months as plain SVG, drawn by leather and stripped of its own looks: the stylesheet colours them.

What a chart shows stands in a table beside it; it has no colour of its own, no style attribute and no script.
"""

import re
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

import leather

WIDTH, HEIGHT = 560, 210
#: At most so many months are named under a chart.
MOST_LABELS = 8

Points = tuple[tuple[str, float | None], ...]

_LOOKS = {"fill", "stroke", "stroke-width", "font-family", "font-size", "font-weight", "opacity"}
_SVG = "http://www.w3.org/2000/svg"

_LONG = re.compile(r"[0-9]+\.[0-9]{2,}")

leather.theme.margin = 0.01


def shows(points: Points) -> bool:
    """Whether there is something to draw: at least two months with a number."""
    return sum(1 for _month, value in points if value is not None) > 1


@lru_cache(maxsize=64)
def columns(points: Points, *, id: str, title: str) -> str:
    """A column for each month.

    Of no number at all nothing is drawn: ask ``shows`` first.

    :param points: months such as ``2026-11``; ``None`` is a gap.
    :param id: the chart's id on the page.
    """
    chart = leather.Chart()
    chart.add_columns([(month, value or 0) for month, value in points])
    return _drawn(chart, points, id, title)


@lru_cache(maxsize=64)
def line(points: Points, *, id: str, title: str) -> str:
    """A dot for each month, joined by a line where none is missing between them."""
    chart = leather.Chart()
    chart.add_series(leather.Series(list(points)), _Trend())
    return _drawn(chart, points, id, title)


class _Trend(leather.Shape):  # type: ignore[misc]  # leather comes without types
    """A dot for each value that there is, and lines between neighbours."""

    def validate_series(self, series: Any) -> None:
        """Any series of names and numbers will do."""

    def to_svg(
        self, width: float, height: float, x_scale: Any, y_scale: Any, series: Any, palette: Any
    ) -> Any:
        next(palette)
        group = ET.Element("g", {"class": "series trend"})
        before: tuple[float, float] | None = None
        for point in series.data():
            here = None
            if point.y is not None:
                here = (float(x_scale.project(point.x, 0, width)), float(y_scale.project(point.y, height, 0)))
                group.append(ET.Element("circle", cx=str(here[0]), cy=str(here[1]), r="3"))
            if before is not None and here is not None:
                ends = {"x1": before[0], "y1": before[1], "x2": here[0], "y2": here[1]}
                group.append(ET.Element("line", {name: str(value) for name, value in ends.items()}))
            before = here
        return group


def _drawn(chart: Any, points: Points, id: str, title: str) -> str:
    months = [month for month, _value in points]
    every = -(-len(months) // MOST_LABELS)
    named = set(months[::-every])
    highest = max((value for _month, value in points if value is not None), default=0)
    steps = _steps(highest)
    chart.add_y_scale(0, steps[-1])
    chart.set_x_scale(leather.Ordinal(months))
    chart.add_x_axis(tick_formatter=lambda month, _index, _count: month if month in named else "")
    chart.add_y_axis(ticks=steps, tick_formatter=lambda value, _index, _count: f"{value:g}")
    root = ET.fromstring(chart.to_svg(width=WIDTH, height=HEIGHT))  # noqa: S314  # made in the line above
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in _LOOKS & element.attrib.keys():
            del element.attrib[name]
        for name, value in element.attrib.items():
            element.attrib[name] = _LONG.sub(lambda found: f"{float(found[0]):.1f}", value)
    canvas = root.find("g")
    ground = canvas.find("rect") if canvas is not None else None
    if canvas is not None and ground is not None:
        canvas.remove(ground)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {
        "xmlns": _SVG,
        "viewBox": f"0 0 {WIDTH} {HEIGHT}",
        "class": "chart",
        "role": "img",
        "aria-labelledby": f"{id}-title",
    }
    heading = ET.Element("title", id=f"{id}-title")
    heading.text = title
    root.insert(0, heading)
    return ET.tostring(root, encoding="unicode")


def _steps(highest: float) -> list[float]:
    """Where lines are drawn: whole numbers, four or five of them."""
    step = 1
    while step * 5 < highest:
        digits = str(step)
        step = step * 2 if digits[0] != "2" else step // 2 * 5
    return [float(step * number) for number in range(max(-(-int(highest) // step), 1) + 1)]
