"""Publishing a profile, and writing it out again."""

from pathlib import Path

import sqlalchemy as sa
import yaml
from pydantic import ValidationError

from collab import audit
from collab.core.clock import now
from collab.core.db import db
from collab.core.errors import Invalid
from collab.departments.actions import digest_of, folder_of, in_words, read_yaml
from collab.departments.models import Department
from collab.profile import rules
from collab.profile.document import ProfileDocument
from collab.profile.models import ProfileRevision
from collab.profile.queries import current
from collab.profile.rules import Problem


def import_profile(department: Department, path_or_slug: str | Path, *, by: audit.Who) -> ProfileRevision:
    """Publish the profile of a folder or file; the same one again changes nothing.

    :raises Invalid: it cannot be read, or has a grave problem; the message names each.
    """
    path = file_of(path_or_slug)
    document = _read(path)
    grave = [str(problem) for problem in rules.check(document, source=_source_beside(path)) if problem.grave]
    if grave:
        raise Invalid(path.name, "\n".join(grave))
    return publish(department, document, by=by)


def publish(department: Department, document: ProfileDocument, *, by: audit.Who) -> ProfileRevision:
    """Make a document the department's profile; the same one again changes nothing."""
    content = document.as_json()
    digest = digest_of(content)
    last = db.session.scalar(
        sa.select(ProfileRevision)
        .where(ProfileRevision.department_id == department.id)
        .order_by(ProfileRevision.number.desc())
        .limit(1)
    )
    if last is not None and last.digest == digest:
        return last
    revision = ProfileRevision(
        department_id=department.id,
        number=last.number + 1 if last else 1,
        document=content,
        digest=digest,
        published_at=now(),
        published_by=by.user_id,
    )
    db.session.add(revision)
    department.content_version += 1
    db.session.flush()
    audit.record(
        "profile.published",
        by=by,
        department_id=department.id,
        on=("profile_revision", revision.id),
        detail={"number": revision.number, "digest": digest, "facts": len(document.facts)},
    )
    return revision


def export_profile(department: Department) -> str:
    """The published profile as YAML; importing it again changes nothing.

    :raises NotFound: none was published yet.
    """
    content = current(department).model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)


def check(path_or_slug: str | Path, *, source: str | None = None) -> list[Problem]:
    """What is wrong with a profile file, and what is worth a second look.

    :param source: the source page's text; otherwise ``source.txt`` beside the file, if there is one.
    """
    try:
        path = file_of(path_or_slug)
        document = _read(path)
        text = source if source is not None else _source_beside(path)
    except Invalid as error:
        return [Problem(error.field, line) for line in error.message.splitlines()]
    problems = rules.check(document, source=text)
    if text is None:
        problems.append(
            Problem(path.name, "no source.txt beside it: the wording was not compared", grave=False)
        )
    return problems


def file_of(path_or_slug: str | Path) -> Path:
    """The profile file of a department's folder, of its name, or the file itself.

    :raises Invalid: there is none.
    """
    path = Path(path_or_slug)
    if path.is_file():
        return path
    found = folder_of(path_or_slug) / "profile.yaml"
    if not found.is_file():
        raise Invalid("profile.yaml", f"There is no {found}.")
    return found


def _read(path: Path) -> ProfileDocument:
    try:
        return ProfileDocument.model_validate(read_yaml(path))
    except ValidationError as error:
        raise Invalid(path.name, in_words(error)) from error


def _source_beside(path: Path) -> str | None:
    source = path.with_name("source.txt")
    return source.read_text(encoding="utf-8") if source.is_file() else None
