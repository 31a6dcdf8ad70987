"""What every template may use: dates and numbers in the reader's language, the navigation, the piles."""

import contextlib
import os
import stat
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from babel import Locale
from babel.numbers import format_decimal
from flask import Flask, g, request, url_for
from flask_login import current_user
from jinja2.bccache import Bucket, BytecodeCache, FileSystemBytecodeCache

from collab.core.wording import format_day, format_moment, format_month
from collab.settings import Settings
from collab.web import drawn, hooks, sentences


def init_app(app: Flask, settings: Settings) -> None:
    """Register filters, globals and the context of the layouts."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(day=day, moment=moment, number=number, filesize=filesize, month=month)
    app.jinja_env.globals.update(country_name=country_name)
    app.jinja_env.bytecode_cache = compiled_in(settings.instance / "compiled")
    sentences.init_app(app)
    drawn.init_app(app)

    @app.context_processor
    def _context() -> dict[str, Any]:
        user = current_user if current_user and current_user.is_authenticated else None
        return {
            "lang": hooks.language(),
            "other_lang_url": other_language_url(),
            "user": user,
            "department": g.get("department"),
            "demo": bool(g.get("department") and g.department.is_demo),
            "base_url": settings.base_url,
            "sends_mail": settings.sends_mail,
        }


class Compiled(FileSystemBytecodeCache):
    """Templates as an earlier process compiled them: the first look at a page then takes no tenth of a second more.

    What cannot be kept is compiled again; that is no reason to refuse a page.
    """

    def get_bucket(
        self, environment: jinja2.Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        """What is kept holds for this text, compiled by this Jinja in this way."""
        made_by = (
            jinja2.__version__,
            environment.trim_blocks,
            environment.lstrip_blocks,
            environment.newstyle_gettext,  # type: ignore[attr-defined]  # of the i18n extension
            sorted(environment.extensions),
        )
        return super().get_bucket(environment, name, filename, f"{made_by}{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take one, unless the file was torn when the machine went down."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001  # whatever a reader of torn bytes may say
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one template."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def compiled_in(folder: Path) -> BytecodeCache | None:
    """What is kept in a folder; nothing, unless it is the portal's alone: what lies there is run."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = folder.lstat()
    except OSError:
        return None
    mine = stat.S_ISDIR(known.st_mode) and known.st_uid == os.getuid() and not known.st_mode & 0o077
    return Compiled(str(folder)) if mine else None


def other_language_url() -> str | None:
    """The same page in the other language, with its query; ``None`` where the address has no language."""
    if not request.endpoint or "lang" not in g:
        return None
    other = "en" if g.lang == "zh" else "zh"
    address = url_for(request.endpoint, **{**(request.view_args or {}), "lang": other})
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    return f"{address}?{urlencode(query)}" if query else address


def _locale() -> Locale:
    return Locale.parse("zh_Hans_CN" if hooks.language() == "zh" else "en_GB")


def day(value: date | datetime | None, timezone: str | None = None, *, year: bool = True) -> str:
    """A calendar day with its weekday: ``Thu 26 Nov 2026``, ``2026年11月26日（周四）``.

    :param timezone: where a moment is taken to be on which day; at the department's place unless given.
    """
    return format_day(value, hooks.language(), timezone=timezone or _place(), year=year)


def _place() -> str:
    department = g.get("department")
    return str(department.timezone) if department else "Asia/Shanghai"


def month(value: str | None) -> str:
    """A month such as ``2027-03`` in words."""
    return format_month(value, hooks.language())


def moment(value: datetime | None, timezone: str | None = None) -> str:
    """A moment with weekday, time and place: ``Thu 26 Nov 2026, 09:05 (Shanghai)``."""
    return format_moment(value, hooks.language(), timezone=timezone or _place())


def number(value: int | float | Decimal | None) -> str:
    """A number with the reader's grouping."""
    return "–" if value is None else format_decimal(value, locale=_locale())


def filesize(value: int) -> str:
    """``310 KB``, ``2.4 MB``."""
    if value < 1000:
        return f"{value} B"
    if value < 1_000_000:
        return f"{round(value / 1000)} KB"
    return f"{value / 1_000_000:.1f} MB"


def country_name(code: str, lang: str | None = None, overrides: dict[str, Any] | None = None) -> str:
    """A country's or region's display name; the department may set its own for some codes."""
    lang = lang or hooks.language()
    if overrides and code in overrides:
        return str(overrides[code].get(lang))
    locale = Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB")
    return str(locale.territories.get(code, code))
