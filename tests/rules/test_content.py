"""Nothing in code, templates or scripts knows the first department's subject: that is content."""

import re

from tests.rules.sources import PACKAGE, STATIC, TEMPLATES, files_of

SUBJECT = re.compile(
    r"nuclear|radionuclide|radiopharm|radiochem|isotope|cyclotron|thyroid|spectrophoto|\bPET\b|\bSPECT\b|\bI-131\b"
    r"|West China|Sichuan|核医学|放射性|同位素|华西|甲状腺|四川",
    re.IGNORECASE,
)


def test_no_word_of_the_departments_subject_outside_its_folder() -> None:
    found = [
        f"{name}: {match.group()}"
        for folder in (PACKAGE, TEMPLATES, STATIC)
        for name, text in files_of(folder, ".py", ".html", ".txt", ".js", ".css", ".po", ".pot", ".yaml")
        if not name.startswith("collab/content/")
        for match in SUBJECT.finditer(text)
    ]
    assert found == []


def test_the_pattern_would_find_them() -> None:
    folder = PACKAGE / "content"
    assert all(SUBJECT.search(text) for _, text in files_of(folder, ".yaml"))
