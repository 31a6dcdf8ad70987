"""Settings: everything that differs between installations, read once at the start.

Each field is ``COLLAB_<NAME>`` in the environment or ``<name>`` in ``instance/collab.toml`` (the environment wins).
A value that cannot be used stops the start, with the variable's name and what it takes.
"""

import ipaddress
import os
import stat
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

EXAMPLE_SECRETS = frozenset(
    {"changeme", "change-me", "secret", "dev", "development", "test", "example", "password"}
)


class WrongSetting(SystemExit):
    """A setting cannot be used. Printed as it is; the exit code is 78 (EX_CONFIG)."""

    def __init__(self, text: str) -> None:
        super().__init__(78)
        self.text = text

    def __str__(self) -> str:
        return self.text


class Settings(BaseSettings):
    """What this installation is. See ``collab doctor --settings`` for the list with defaults."""

    model_config = SettingsConfigDict(
        env_prefix="COLLAB_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    instance: Annotated[
        Path, Field(description="Folder of this installation: database, files, key, collab.toml.")
    ] = Path("instance")
    database_url: Annotated[
        str, Field(description="sqlite:///path or postgresql://…; empty: collab.db in the instance folder.")
    ] = ""
    files_url: Annotated[
        str, Field(description="file:///folder or s3://bucket/prefix; empty: files/ in the instance folder.")
    ] = ""
    smtp_url: Annotated[
        SecretStr,
        Field(
            description="smtp://user:password@host:587 (STARTTLS required), smtps://…:465, or smtp+plain://host:25 "
            "for a relay without TLS; empty: mails stay in the outbox, readable by staff."
        ),
    ] = SecretStr("")
    smtp_ca_file: Annotated[
        Path | None, Field(description="Certificates to trust for SMTP instead of the system's.")
    ] = None
    smtp_timeout: Annotated[
        float, Field(gt=0, le=300, description="Seconds to wait for the SMTP server.")
    ] = 20.0
    mail_from: Annotated[
        str, Field(description="Sender of all mails; empty: noreply@ the host of the base URL.")
    ] = ""
    mail_reply_to: Annotated[str, Field(description="Reply-To of mails to partners; empty: none.")] = ""
    secret_key: Annotated[
        SecretStr,
        Field(description="Signs cookies; 32 characters or more. Empty: made once in the instance folder."),
    ] = SecretStr("")
    bind: Annotated[str, Field(description="Address and port the web server listens on.")] = "127.0.0.1:8000"
    base_url: Annotated[
        str,
        Field(
            description="The address people use, without a path; https but on loopback. Empty: where the web server "
            "listens, for people on this machine.",
            validate_default=True,
        ),
    ] = ""
    workers: Annotated[int, Field(ge=1, le=64, description="Web server processes.")] = 2
    trusted_proxies: Annotated[
        int,
        Field(ge=0, le=5, description="Number of reverse proxies in front whose X-Forwarded-* are believed."),
    ] = 0
    admin_email: Annotated[
        str, Field(description="First administrator's address, for an unattended first start.")
    ] = ""
    admin_password: Annotated[
        SecretStr, Field(description="First administrator's password; empty: one is made and printed once.")
    ] = SecretStr("")
    department: Annotated[
        str,
        Field(
            description="Department to import on the first start: a folder, or the name of one under "
            "collab/content; empty: the one there, if it is just one."
        ),
    ] = ""
    session_idle_minutes: Annotated[
        int, Field(ge=5, le=1440, description="Staff are signed out after this idle time.")
    ] = 60
    session_hours: Annotated[
        int, Field(ge=1, le=168, description="Staff sign in again after this time in any case.")
    ] = 12
    partner_session_minutes: Annotated[
        int, Field(ge=10, le=1440, description="A partner's page closes after this idle time.")
    ] = 60
    partner_session_hours: Annotated[
        int, Field(ge=1, le=168, description="A partner's page closes after this time in any case.")
    ] = 12
    upload_megabytes: Annotated[
        int, Field(ge=1, le=100, description="Largest file a partner may send, in MB.")
    ] = 5
    scan_command: Annotated[
        str,
        Field(
            description="Virus scanner called with a file's path (0 clean, 1 infected); empty: files are not checked."
        ),
    ] = ""
    submissions_per_address: Annotated[
        int, Field(ge=1, description="Inquiries and drafts one e-mail may start in a day.")
    ] = 10
    submissions_per_network: Annotated[
        int,
        Field(
            ge=1, description="Inquiries and drafts one network (IPv4 /24, IPv6 /56) may start in an hour."
        ),
    ] = 300
    password_memory_kib: Annotated[
        int, Field(ge=8, description="argon2id memory, KiB; below 19456 only for tests.")
    ] = 65536
    password_passes: Annotated[int, Field(ge=1, description="argon2id passes.")] = 3
    metrics_token: Annotated[
        SecretStr, Field(description="Bearer token for /metrics from elsewhere than loopback.")
    ] = SecretStr("")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")
    log_format: Literal["json", "text"] = Field(
        "json", description="One JSON object a line, or text for people."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = init_settings().get("instance") or os.environ.get("COLLAB_INSTANCE") or "instance"
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, Path(given) / "collab.toml"),
        )

    # -- checks: each message says what the setting takes ------------------------------------------------------

    @field_validator("instance")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if not value or value.startswith("sqlite:///"):
            return value
        for scheme in ("postgres://", "postgresql://", "postgresql+psycopg://"):
            if value.startswith(scheme):
                return "postgresql+psycopg://" + value.removeprefix(scheme)
        raise ValueError("takes sqlite:///path or postgresql://user:password@host/name")

    @field_validator("files_url")
    @classmethod
    def _files(cls, value: str) -> str:
        if value and not value.startswith(("file:///", "s3://")):
            raise ValueError("takes file:///folder or s3://bucket/prefix")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not text:
            return value
        try:
            parts = urlsplit(text)
            fits = parts.scheme in {"smtp", "smtps", "smtp+plain"} and bool(parts.hostname)
            _ = parts.port
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("takes smtp://user:password@host:587, smtps://host:465 or smtp+plain://host:25")
        return value

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str, info: ValidationInfo) -> str:
        value = value or _here(info.data.get("bind", "127.0.0.1:8000"))
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise ValueError("takes an address such as https://collab.example.org") from None
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.path not in {"", "/"}
            or parts.query
        ):
            raise ValueError("takes an address such as https://collab.example.org, without a path")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("must be https:// unless the host is this machine (127.0.0.1, localhost)")
        return value.rstrip("/")

    @field_validator("bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("takes address:port, such as 127.0.0.1:8000")
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and (len(text) < 32 or text.casefold() in EXAMPLE_SECRETS or len(set(text)) < 8):
            raise ValueError(
                "takes 32 random characters or more, not an example (leave it empty to have one made)"
            )
        return value

    @field_validator("admin_email")
    @classmethod
    def _admin(cls, value: str) -> str:
        if value and (value.count("@") != 1 or any(c.isspace() for c in value)):
            raise ValueError("takes one e-mail address")
        return value

    @field_validator("admin_password")
    @classmethod
    def _admin_password(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and len(value.get_secret_value()) < 12:
            raise ValueError("takes 12 characters or more")
        return value

    @model_validator(mode="after")
    def _cost(self) -> Self:
        if self.is_public and self.password_memory_kib < 19456:
            raise ValueError(
                "COLLAB_PASSWORD_MEMORY_KIB takes 19456 or more on a portal that others can reach"
            )
        return self

    # -- what follows from them --------------------------------------------------------------------------------

    @property
    def is_public(self) -> bool:
        """Whether others than this machine can reach the portal: cookies are then ``__Host-`` and ``Secure``."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def host(self) -> str:
        """Host and port people use, as in the ``Host`` header."""
        return urlsplit(self.base_url).netloc

    def is_alias(self, host: str) -> bool:
        """Whether a ``Host`` header is another name of the machine itself (``localhost``) for the portal on it."""
        try:
            asked, ours = urlsplit(f"//{host}"), urlsplit(self.base_url)
            return not self.is_public and asked.port == ours.port and _is_loopback(asked.hostname or "")
        except ValueError:
            return False

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.instance / 'collab.db'}"

    @property
    def files(self) -> str:
        return self.files_url or f"file://{self.instance / 'files'}"

    @property
    def sender(self) -> str:
        return self.mail_from or f"noreply@{urlsplit(self.base_url).hostname}"

    @property
    def sends_mail(self) -> bool:
        return bool(self.smtp_url.get_secret_value())

    def key(self) -> str:
        """The secret key: the setting's, or the instance folder's, made there at the first call."""
        return self.secret_key.get_secret_value() or _key_in(self.instance)


def load(**given: Any) -> Settings:
    """Read the settings.

    :raises WrongSetting: naming each variable that cannot be used, and what it takes.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            reason = problem["msg"].removeprefix("Value error, ")
            lines.append(f"COLLAB_{name}: {reason}" if name else reason)
        raise WrongSetting("Collab cannot start with these settings:\n  " + "\n  ".join(lines)) from None
    except ValueError as error:  # collab.toml is no TOML
        raise WrongSetting(f"Collab cannot read collab.toml: {error}") from None


def _here(bind: str) -> str:
    """The address of a server on this machine that listens there."""
    host, _, port = bind.rpartition(":")
    return f"http://{'127.0.0.1' if host in {'0.0.0.0', '[::]', '::'} else host}:{port}"  # noqa: S104  # a name


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key_in(instance: Path) -> str:
    import secrets

    path = instance / "secret_key"
    try:
        instance.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise WrongSetting(
                f"{path} can be read by others: chmod 600 it, or remove it to have a new one made"
            ) from None
        key = path.read_text().strip()
        if len(key) < 32:
            raise WrongSetting(f"{path} holds no key: remove it to have a new one made") from None
        return key
    except OSError as error:
        raise WrongSetting(f"COLLAB_INSTANCE: cannot write to {instance}: {error.strerror}") from None
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
