"""Writes docs/permissions.md, who may do what, from the tables the portal itself obeys.

Usage: python tools/permissions_page.py

Nothing stands in the page that is not read from ``accounts.permissions``, ``inquiries.statuses`` and the addresses.
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "permissions.md"
HEAD = """# Who may do what

Written by `make docs` from the tables in `collab/accounts/permissions.py`, `collab/inquiries/statuses.py` and the
portal's own addresses; a test fails when it is not fresh. Each role is held in one department, and gives nothing in
another: an inquiry of another department is not found (404), for every role, step and page. A declared conflict of
interest closes an inquiry to that person in the same way, whatever the role. Nobody reviews and decides the same
inquiry, and no host decides on an inquiry of their own group.
"""


def page() -> str:
    """The page's text."""
    sys.path.insert(0, str(ROOT))
    return "\n".join([HEAD, *_permissions(), *_steps(), *_addresses()]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _permissions() -> list[str]:
    from collab.accounts.permissions import ALLOWED, Permission
    from collab.accounts.roles import Role

    lines = ["## Roles and permissions", "", _row(["permission", *(role.value for role in Role)])]
    lines.append(_row(["---", *(":-:" for _ in Role)]))
    lines += [
        _row([f"`{permission}`", *("yes" if role in ALLOWED[permission] else "" for role in Role)])
        for permission in Permission
    ]
    return [*lines, ""]


def _steps() -> list[str]:
    from collab.inquiries.statuses import TRANSITIONS

    lines = [
        "## Steps of an inquiry",
        "",
        "`applicant` is the partner with the private link, `system` the portal's clock. In another department: nobody.",
        "",
        _row(["step", "from", "to", "who", "mail", "needs"]),
        _row(["---"] * 6),
    ]
    for one in TRANSITIONS:
        who = ", ".join(sorted(str(party) for party in one.who))
        lines.append(
            _row([f"`{one.step}`", f"`{one.source}`", f"`{one.target}`", who, one.mail or "–", one.needs])
        )
    return [*lines, ""]


def _addresses() -> list[str]:
    from collab import create_app
    from collab.accounts.permissions import ALLOWED, Permission
    from collab.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        given = {"instance": Path(folder) / "instance", "log_level": "error"}
        app = create_app(Settings.model_validate(given))
    found: dict[str, set[str]] = defaultdict(set)
    for rule in app.url_map.iter_rules():
        declared = getattr(app.view_functions[rule.endpoint], "permission", None)
        if declared is None:  # the files of the look
            continue
        methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        found[declared].add(f"`{rule.rule}` ({methods})")
    lines = [
        "## Addresses",
        "",
        "What a page shows and what its forms may do is narrowed once more by department, assignment and conflict.",
        "",
        _row(["declared", "who", "addresses"]),
        _row(["---"] * 3),
    ]
    known = {
        "public": "anybody",
        "partner": "the partner of that inquiry",
        "signed_in": "every member of staff",
    }
    for declared, addresses in sorted(found.items()):
        who = known.get(declared) or ", ".join(sorted(role.value for role in ALLOWED[Permission(declared)]))
        lines.append(_row([f"`{declared}`", who, "<br>".join(sorted(addresses)).replace("|", "\\|")]))
    return lines


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    PAGE.write_text(page())
