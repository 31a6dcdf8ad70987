"""Writes docs/settings.md, the list of all settings, from collab/settings.py.

Usage: python tools/settings_page.py
"""

import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "settings.md"
HEAD = """# Settings

Each is an environment variable, or the same name in small letters without `COLLAB_` in `instance/collab.toml`;
the environment wins. A value that cannot be used stops the start with the variable's name and what it takes.
`collab doctor --settings` prints the same list.

| variable | default | what it is |
|---|---|---|
"""


def page() -> str:
    """The page's text."""
    sys.path.insert(0, str(ROOT))
    from collab.settings import Settings

    rows = [
        f"| `COLLAB_{name.upper()}` | {_shown(field.default)} | {_what(field.description or '', field.annotation)} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


def _shown(default: Any) -> str:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    return "–" if value in ("", None) else f"`{value}`"


def _what(description: str, annotation: Any) -> str:
    text = description.replace("|", "\\|")
    if get_origin(annotation) is Literal:
        return f"{text} One of {', '.join(f'`{choice}`' for choice in get_args(annotation))}."
    return text


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    PAGE.write_text(page())
