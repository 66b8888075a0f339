"""Readers for settings from the environment. They refuse nonsense and say what to set."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
COMMANDS_WITHOUT_SECRETS = {"help", "version", "--version", "sandbox", "inspect_audio", "prepare_audio"}
"""The commands of manage.py that sign, seal and unseal nothing."""


def read_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def read_boolean(name: str, default: bool) -> bool:
    """True or False; anything but a plain yes or no is an error, never a guess."""
    value = read_text(name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no. Use one of: true, false.")
    return value in TRUE


def read_integer(name: str, default: int, *, least: int = 0) -> int:
    value = read_text(name)
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name}={value!r} must be a whole number of at least {least}.")
    return int(value)


def read_list(name: str, default: str = "") -> list[str]:
    """A list written with commas."""
    return [word.strip() for word in read_text(name, default).split(",") if word.strip()]


def read_url(name: str, default: str) -> str:
    """An http(s) address without its closing slash."""
    value = read_text(name, default)
    if not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name}={value!r} must begin with http:// or https://.")
    return value.rstrip("/")


def needs_secrets(argv: Sequence[str]) -> bool:
    """False only for manage.py with a command of WITHOUT_SECRETS, with a request for help, or with nothing at all.

    Every other program stops at its start where a secret is missing, rather than at the first request that needs it.
    """
    program, *arguments = argv or [""]
    if Path(program).name != "manage.py":
        return True
    return bool(arguments) and arguments[0] not in COMMANDS_WITHOUT_SECRETS and not {"--help", "-h"} & set(arguments)


def read_secret(name: str, folder: Path, *, needed: bool = True) -> str:
    """A secret from NAME, from the file NAME_FILE, or from the folder where the embedded studio keeps its own.

    Where there is none: "" if it is not needed, or else ImproperlyConfigured with the three ways to give it.
    """
    if value := read_text(name):
        return value
    named = read_text(f"{name}_FILE")
    path = Path(named) if named else folder / name.removeprefix("VOICEHUB_").lower()
    try:
        value = path.read_text(encoding="utf-8").strip()
    except OSError:
        value = ""
    if not value and needed:
        raise ImproperlyConfigured(
            f"{name} is not set. Set {name} or {name}_FILE, or run `manage.py studio` once, which makes {path}."
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
    """The server in smtp://user:password@host:port?tls=1 (or ?ssl=1); None when the setting is not there."""
    value = read_text(name)
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme != "smtp" or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must look like smtp://user:password@host:587?tls=1.")
    asked = parse_qs(parts.query)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(
        parts.hostname, parts.port or 25, user, password, asked.get("tls") == ["1"], asked.get("ssl") == ["1"]
    )
