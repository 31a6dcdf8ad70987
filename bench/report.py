"""What was measured, as a table for people and as JSON for machines."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of docs/performance.md.

    :param figure: the product's, in ``unit``.
    :param floor: the floor's in the same run, where there is one.
    :param ratio: figure to floor, or what the target speaks of.
    :param target: as in the design: ``>= 0.6``, ``<= 3``.
    """

    work: str
    figure: float
    unit: str
    target: str = ""
    floor: float | None = None
    ratio: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; ``None`` where there is none."""
        if not self.target:
            return None
        sign, limit = self.target.split()
        value = self.figure if self.ratio is None else self.ratio
        return value >= float(limit) if sign == ">=" else value <= float(limit)


def table(rows: list[Row]) -> str:
    """The rows, aligned."""
    lines = [("work", "product", "floor", "ratio", "target", "", "")]
    for row in rows:
        verdict = {True: "reached", False: "MISSED", None: ""}[row.reached]
        floor = "" if row.floor is None else _number(row.floor)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(
            (row.work, f"{_number(row.figure)} {row.unit}", floor, ratio, row.target, verdict, row.note)
        )
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join(
        "  ".join(
            [
                text.ljust(width) if column in {0, 6} else text.rjust(width)
                for column, (text, width) in enumerate(zip(line, widths, strict=False))
            ]
            + [line[6]]
        ).rstrip()
        for line in lines
    )


def write(path: Path, rows: list[Row], about: dict[str, Any]) -> None:
    """Keep a run."""
    content = {**about, "rows": [{**asdict(row), "reached": row.reached} for row in rows]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
