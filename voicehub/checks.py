"""System checks for settings. They run with `manage.py check` and at every start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from voicehub import encryption
from voicehub.roles import ROLES

SAMPLE = "sample"  # tag


@register()
def check_field_keys(**_: Any) -> list[CheckMessage]:
    """The keys that encrypt provider keys must be valid, and must differ from the key that signs cookies."""
    try:
        encryption.load_keys()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Run `manage.py studio` once. It creates a key.", id="voicehub.E001")]
    keys: list[str] = settings.VOICEHUB_FIELD_KEYS
    if settings.SECRET_KEY in keys:
        hint = "Use a separate key, so that you can change one without the other."
        return [Error("VOICEHUB_FIELD_KEYS contains the value of VOICEHUB_SECRET_KEY.", hint=hint, id="voicehub.E002")]
    return []


@register()
def check_queue_serializer(**_: Any) -> list[CheckMessage]:
    """Every queue must use JSON. With pickle, anyone with access to the queue could run code in the worker."""
    pickled = [name for name, queue in settings.RQ_QUEUES.items() if "JSON" not in str(queue.get("SERIALIZER"))]
    return [Error(f"Queue {name!r} does not use JSON.", id="voicehub.E003") for name in pickled]


@register(deploy=True)
def check_company(**_: Any) -> list[CheckMessage]:
    """The statement that talents read aloud names the company, so it must not be the sample's name."""
    if settings.VOICEHUB_COMPANY == "Northlight Voices":
        hint = "Set VOICEHUB_COMPANY to the company's legal name."
        return [Warning("VOICEHUB_COMPANY is still the sample company.", hint=hint, id="voicehub.W001")]
    return []


NOTICE_SETTINGS = {
    "VOICEHUB_COMPANY_ADDRESS": "the postal address of the company",
    "VOICEHUB_SUPERVISORY_AUTHORITY": "the data protection authority that talents can complain to",
    "VOICEHUB_DATA_LOCATION": "the country in which recordings and proofs are stored",
}


@register(deploy=True)
def check_notice(**_: Any) -> list[CheckMessage]:
    """Talents must be told this before they consent. Without it, the notice is shorter or more general."""
    return [
        Warning(
            f"{name} is empty.", hint=f"Set it to {meaning}. Talents read it before they consent.", id="voicehub.W002"
        )
        for name, meaning in NOTICE_SETTINGS.items()
        if not getattr(settings, name)
    ]


@register()
def check_talent_codes(**_: Any) -> list[CheckMessage]:
    """Without a mail server, codes are written to a folder of the studio, and talents cannot record."""
    if settings.VOICEHUB_TALENT_CODES and not settings.MAIL:
        hint = "Set VOICEHUB_EMAIL_URL, or set VOICEHUB_TALENT_CODES to false."
        return [Warning("Talents need codes that no mail server sends.", hint=hint, id="voicehub.W003")]
    return []


@register(SAMPLE)
def check_sample_users(**_: Any) -> list[CheckMessage]:
    """The sample's users share one password, which stands in a file. They must not sign in to a real studio."""
    if not settings.HTTPS:
        return []
    names = _list_sample_users()
    if not names:
        return []
    hint = (
        "Start the real studio with an empty database and data folder. To keep this one, open it at an http address on "
        "its own machine and clear “May sign in” for these users."
    )
    return [Error(f"Users of the sample studio can sign in: {', '.join(names)}.", hint=hint, id="voicehub.E004")]


def refuse_sample_users() -> None:
    """For web servers, which run no checks. Raises ImproperlyConfigured, so that they do not start."""
    if not settings.HTTPS:
        return
    errors = check_sample_users()
    connections.close_all()  # a connection must not be shared with processes that are forked next
    if errors:
        raise ImproperlyConfigured("\n".join(f"{error.msg} {error.hint}" for error in errors))


def _list_sample_users() -> list[str]:
    from voicehub.models import SAMPLE_DOMAIN, User  # models must be ready

    users = User.objects.filter(email__endswith=SAMPLE_DOMAIN, is_active=True).order_by("username")
    try:
        return [user.username for user in users]
    except DatabaseError:  # no database yet, or a command that needs none
        return []


@register()
def check_second_factor_roles(**_: Any) -> list[CheckMessage]:
    """A name without a group demands a second factor of no one. A studio may have groups of its own."""
    unknown = settings.VOICEHUB_SECOND_FACTOR_ROLES - {*ROLES, "admin"}
    hint = f"The roles are {', '.join(ROLES)} and admin. Correct the name, or create a group with it."
    return [
        Warning(f"VOICEHUB_SECOND_FACTOR_ROLES has {name!r}, which is no role.", hint=hint, id="voicehub.W004")
        for name in sorted(unknown - _list_groups(unknown))
    ]


def _list_groups(names: set[str]) -> set[str]:
    from django.contrib.auth.models import Group  # models must be ready

    try:
        return set(Group.objects.filter(name__in=names).values_list("name", flat=True)) if names else set()
    except DatabaseError:  # no database yet, or a command that needs none
        return set()


@register()
def check_identity_provider(**_: Any) -> list[CheckMessage]:
    """With an issuer, the client of VoiceHub there must be known, and no one may read along on the way to it."""
    if not settings.VOICEHUB_OIDC_ISSUER:
        return []
    errors: list[CheckMessage] = [
        Error(f"{name} is empty, but VOICEHUB_OIDC_ISSUER is set.", id="voicehub.E005")
        for name in ("VOICEHUB_OIDC_CLIENT_ID", "VOICEHUB_OIDC_CLIENT_SECRET")
        if not getattr(settings, name)
    ]
    if settings.HTTPS and not settings.VOICEHUB_OIDC_ISSUER.startswith("https://"):
        errors.append(Error("VOICEHUB_OIDC_ISSUER is not an https address.", id="voicehub.E006"))
    return errors
