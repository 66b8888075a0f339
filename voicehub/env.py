"""Read settings from environment variables. An invalid value raises ImproperlyConfigured, which says what to set."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".woff", ".woff2")
LOGO_SUFFIXES = (".svg", ".png", ".webp", ".jpg", ".jpeg")
MAX_LOGO_BYTES = 20_000  # a page of a talent transfers less than 100 kB
COMMANDS_WITHOUT_SECRETS = {"help", "version", "--version", "sandbox", "inspect_audio", "prepare_audio"}
"""The manage.py commands that neither sign nor encrypt nor decrypt anything."""


def read_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def read_boolean(name: str, default: bool) -> bool:
    """True or False. Raises ImproperlyConfigured for any value except TRUE and FALSE."""
    value = read_text(name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is not a boolean. Use true or false.")
    return value in TRUE


def read_integer(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    value = read_text(name)
    if not value:
        return default
    is_valid = value.isdecimal() and int(value) >= minimum and (maximum is None or int(value) <= maximum)
    if not is_valid:
        limits = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise ImproperlyConfigured(f"{name}={value!r} must be a whole number {limits}.")
    return int(value)


def read_list(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in read_text(name, default).split(",") if word.strip()]


def read_font(name: str) -> str:
    """The path of a font file that exists. Empty if none is set."""
    value = read_text(name)
    if value and not (value.lower().endswith(FONT_SUFFIXES) and Path(value).is_file()):
        raise ImproperlyConfigured(f"{name}={value!r} must be the path of a font file: {', '.join(FONT_SUFFIXES)}.")
    return value


def read_logo(name: str) -> str:
    """The path of a picture that exists and is small enough for a phone. Empty if none is set."""
    value = read_text(name)
    if not value:
        return ""
    path = Path(value)
    if not (value.lower().endswith(LOGO_SUFFIXES) and path.is_file() and path.stat().st_size <= MAX_LOGO_BYTES):
        kinds, size = ", ".join(LOGO_SUFFIXES), MAX_LOGO_BYTES // 1000
        raise ImproperlyConfigured(f"{name}={value!r} must be the path of a picture ({kinds}) of at most {size} kB.")
    return value


def read_url(name: str, default: str) -> str:
    """An http(s) URL without a trailing slash."""
    value = read_text(name, default)
    if not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name}={value!r} must begin with http:// or https://.")
    return value.rstrip("/")


# SQLite allows one writer at a time. With WAL and IMMEDIATE the other writers wait instead of failing.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;"
    "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=2000; PRAGMA temp_store=MEMORY",
}


def read_database(url: str, wait_seconds: int) -> dict[str, Any]:
    """The settings of the database at `url`. A connection waits `wait_seconds` for a lock, and for the server."""
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if "sqlite" in config["ENGINE"]:
        config["OPTIONS"] = SQLITE_OPTIONS | {"timeout": wait_seconds}
    else:
        limits: dict[str, Any] = {"connect_timeout": wait_seconds, "tcp_user_timeout": wait_seconds * 1000}
        limits["options"] = f"-c lock_timeout={wait_seconds * 1000}"
        config["OPTIONS"] = limits | config.get("OPTIONS", {})
    return {**config, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def make_s3_config(*, is_web: bool) -> Config:
    """How long to wait for the file storage: in the web server one short try, elsewhere botocore's own patience."""
    limits: dict[str, Any] = {"signature_version": "s3v4"}
    if is_web:
        limits |= {"connect_timeout": 0.9, "read_timeout": 2, "retries": {"total_max_attempts": 1}}
    return Config(**limits)


def needs_secrets(argv: Sequence[str]) -> bool:
    """False only for manage.py with one of COMMANDS_WITHOUT_SECRETS, with --help, or without arguments.

    Any other program with a missing secret fails at start, not at the first request that needs it.
    """
    program, *arguments = argv or [""]
    if Path(program).name != "manage.py":
        return True
    return bool(arguments) and arguments[0] not in COMMANDS_WITHOUT_SECRETS and not {"--help", "-h"} & set(arguments)


def read_secret(name: str, folder: Path, *, needed: bool = True) -> str:
    """The secret from the variable NAME, from the file in NAME_FILE, or from `folder` (the embedded studio's secrets).

    Without a secret, returns "" if it is not needed; otherwise raises ImproperlyConfigured with the ways to set it.
    """
    if value := read_text(name):
        return value
    file_name = read_text(f"{name}_FILE")
    path = Path(file_name) if file_name else folder / name.removeprefix("VOICEHUB_").lower()
    try:
        value = path.read_text(encoding="utf-8").strip()
    except OSError:
        value = ""
    if not value and needed:
        raise ImproperlyConfigured(
            f"{name} is not set. Set {name} or {name}_FILE, or run `manage.py studio` once, which creates {path}."
        )
    return value


class MailServer(NamedTuple):
    host: str
    port: int
    user: str
    password: str
    tls: bool
    ssl: bool


def read_mail_server(name: str) -> MailServer | None:
    """The server from smtp://user:password@host:port?tls=1 (or ?ssl=1). None if the variable is not set."""
    value = read_text(name)
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme != "smtp" or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must look like smtp://user:password@host:587?tls=1.")
    query = parse_qs(parts.query)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(
        parts.hostname, parts.port or 25, user, password, query.get("tls") == ["1"], query.get("ssl") == ["1"]
    )


def describe_identity_provider(issuer: str, client_id: str, client_secret: str, name: str) -> dict[str, Any]:
    """The setting of django-allauth for the studio's identity provider. All that is needed is in its signed token."""
    client = {"provider_id": "studio", "name": name, "client_id": client_id, "secret": client_secret}
    options = {"server_url": issuer, "fetch_userinfo": False}
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [client | {"settings": options}]}}
