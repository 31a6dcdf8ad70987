"""Every setting is documented, and nothing that does not exist."""

import re

from collab.settings import Settings
from tests.rules.sources import ROOT
from tools import settings_page

NAME = re.compile(r"\bCOLLAB_([A-Z][A-Z0-9_]*[A-Z0-9])\b")


def named_in(text: str) -> set[str]:
    """The settings a text names."""
    return {name.lower() for name in NAME.findall(text)}


def test_the_list_of_settings_is_up_to_date() -> None:
    # Written by `make docs`.
    assert settings_page.PAGE.read_text() == settings_page.page()
    assert named_in(settings_page.PAGE.read_text()) == set(Settings.model_fields)


def test_other_documents_name_only_settings_that_exist() -> None:
    documents = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "Makefile",
        *(ROOT / "docs").rglob("*.md"),
    ]
    wrong = {
        path.name: unknown
        for path in documents
        if path.exists() and (unknown := named_in(path.read_text()) - set(Settings.model_fields))
    }
    assert wrong == {}


def test_a_setting_is_found_in_a_text() -> None:
    text = "Set `COLLAB_BASE_URL=https://x` or COLLAB_NO_SUCH_THING; COLLAB_* and COLLAB_ are no names."
    assert named_in(text) == {"base_url", "no_such_thing"}


def test_every_setting_says_what_it_takes() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
