"""Taking in a department from its folder."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from collab import audit
from collab.core.db import db
from collab.core.errors import Conflict, Invalid
from collab.departments.models import Department
from collab.departments.settings import DepartmentSettings

#: Larger than any honest content file, small enough to read at once.
MAX_BYTES = 2_000_000


def folder_of(path_or_slug: str | Path) -> Path:
    """The folder of a department's content: one that exists, or the name of one that comes with the portal.

    :param path_or_slug: empty for the one that comes with the portal, if it is just one.
    :raises Invalid: neither.
    """
    if not str(path_or_slug):
        known = shipped()
        if len(known) != 1:
            raise Invalid(
                "folder", f"Say which department: {', '.join(known) or 'none comes with the portal'}."
            )
        path_or_slug = known[0]
    given = Path(path_or_slug)
    if (given / "department.yaml").is_file():
        return given
    name = str(path_or_slug)
    if given.name == name and not name.startswith("."):
        own = Path(str(files("collab") / "content" / name))
        if (own / "department.yaml").is_file():
            return own
    raise Invalid(
        "folder", f"“{path_or_slug}” is no folder with a department.yaml, nor the name of one in the portal."
    )


def shipped() -> list[str]:
    """The names of the departments that come with the portal."""
    content = Path(str(files("collab") / "content"))
    return sorted(path.parent.name for path in content.glob("*/department.yaml"))


def read_settings(path_or_slug: str | Path) -> DepartmentSettings:
    """Read and check a department's settings without keeping them.

    :raises Invalid: no such folder, no YAML, or settings that cannot be used; the message names each place.
    """
    path = folder_of(path_or_slug) / "department.yaml"
    try:
        return DepartmentSettings.model_validate(read_yaml(path))
    except ValidationError as error:
        raise Invalid("department.yaml", in_words(error)) from error


def import_department(path_or_slug: str | Path, *, by: audit.Who) -> Department:
    """Take in a department's settings; the same ones again change nothing.

    :raises Invalid: they cannot be used.
    :raises Conflict: another department has this code.
    """
    settings = read_settings(path_or_slug)
    content = settings.as_json()
    digest = digest_of(content)
    department = db.session.query(Department).filter_by(slug=settings.slug).one_or_none()
    if department is not None and department.content_digest == digest:
        return department
    taken = db.session.query(Department).filter_by(code=settings.code).one_or_none()
    if taken is not None and taken is not department:
        raise Conflict(f"The department “{taken.slug}” has the code {settings.code} already.")
    if department is None:
        department = Department(slug=settings.slug, content_version=0)
        db.session.add(department)
        event = "department.created"
    else:
        event = "department.changed"
    department.code = settings.code
    department.timezone = settings.timezone
    department.content = content
    department.content_digest = digest
    department.content_version += 1
    db.session.flush()
    audit.record(
        event,
        by=by,
        department_id=department.id,
        on=("department", department.id),
        detail={"digest": digest, "version": department.content_version},
    )
    return department


def read_yaml(path: Path) -> Any:
    """The data of one YAML file; no tags, no objects.

    :raises Invalid: missing, too large, not UTF-8, or no YAML; the message says where.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Invalid(path.name, f"{path} is larger than {MAX_BYTES // 1_000_000} MB.")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(path.name, f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise Invalid(path.name, f"{path} is no YAML: {error}") from error


def digest_of(content: Any) -> str:
    """SHA-256 of a JSON document, however its keys are ordered."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def in_words(error: ValidationError) -> str:
    """What is wrong with a document, one line for each place."""
    return "\n".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'document'}: "
        f"{problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    )
