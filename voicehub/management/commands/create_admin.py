"""The first way into a studio without the sample, and the way back for an admin who lost the second factor."""

import os
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from voicehub.models import SecurityEventKind, User
from voicehub.security_log import record_security_event
from voicehub.sign_in.mails import make_password_link
from voicehub.sign_in.sessions import end_sessions

COMMAND = ".venv/bin/python manage.py create_admin NAME EMAIL"


class Command(BaseCommand):
    help = "Create an admin, and print a link to choose the password. --reset: a new link, without second factors."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="the username")
        parser.add_argument("email", nargs="?", help="the email address; not needed with --reset")
        parser.add_argument("--reset", action="store_true", help="a new link for an admin, without second factors")
        parser.add_argument("--hint", action="store_true", help="say how to create the first admin, if there is none")

    def handle(self, *, name: str | None, email: str | None, reset: bool, hint: bool, **options: Any) -> None:
        if hint:
            self.show_hint()
            return
        if not name or not (email or reset):
            raise CommandError("Give a username and an email address: create_admin NAME EMAIL")
        with transaction.atomic():
            user = reset_admin(name, email) if reset else create_admin(name, email or "")
        days = settings.PASSWORD_RESET_TIMEOUT // 86400
        self.stdout.write(f"{user.username} chooses a password at this address. It works once, for {days} days:")
        self.stdout.write(make_password_link(user))

    def show_hint(self) -> None:
        if not User.objects.filter(is_superuser=True, is_active=True).exists():
            self.stdout.write("No admin exists yet. Create one in another terminal:")
            self.stdout.write(describe_command())


def describe_command() -> str:
    """With the settings that lead to this studio, if they are not the default ones."""
    defaults = {"VOICEHUB_DATA_DIR": str(settings.BASE_DIR / "var"), "VOICEHUB_BASE_URL": "http://127.0.0.1:8000"}
    values = {name: os.environ.get(name, "") for name in defaults}
    given = [f"{name}={value}" for name, value in values.items() if value and not is_default(value, defaults[name])]
    return " ".join([*given, COMMAND])


def is_default(value: str, default: str) -> bool:
    return value.rstrip("/") == default or Path(value).resolve() == Path(default)


def create_admin(name: str, email: str) -> User:
    """Raises CommandError if the name or the address cannot be used."""
    if User.objects.filter(username__iexact=name).exists():
        raise CommandError(f"{name} exists already. For a new link: create_admin {name} --reset")
    if User.objects.filter(email__iexact=email).exists():
        raise CommandError(f"Another user has the address {email}.")
    user = User(username=name, email=email, is_staff=True, is_superuser=True)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    user.save()
    user.groups.add(Group.objects.get(name="admin"))
    record_security_event(SecurityEventKind.INVITED, None, None, name, "create_admin", person=user)
    return user


def reset_admin(name: str, email: str | None) -> User:
    """Take away password, second factors and sessions of an admin. Raises CommandError."""
    user = User.objects.select_for_update().filter(username__iexact=name).first()
    if user is None or not (user.is_superuser or user.groups.filter(name="admin").exists()):
        raise CommandError(f"{name} is not an admin. An admin can send other people a link for a new password.")
    if email and email.casefold() != user.email.casefold():
        raise CommandError(f"{name} has the address {user.email}. It is changed on the profile page.")
    user.set_unusable_password()
    user.is_active = True
    user.save(update_fields=["password", "is_active"])
    removed, _rows = Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    detail = "create_admin --reset"
    if removed:
        record_security_event(SecurityEventKind.FACTOR_REMOVED, None, None, "All", detail, person=user)
    record_security_event(SecurityEventKind.RESET_REQUESTED, None, None, user.username, detail, person=user)
    return user
