"""What `manage.py check` and every start say about settings that cannot work."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from voicehub import encryption


@register()
def check_field_keys(**_: Any) -> list[CheckMessage]:
    """The keys that seal provider keys must work, and must not be the key that signs cookies."""
    try:
        encryption.load_keys()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Make one: manage.py studio does on its first start.", id="voicehub.E001")]
    keys: list[str] = settings.VOICEHUB_FIELD_KEYS
    if settings.SECRET_KEY in keys:
        hint = "Use a key of its own, so that changing one does not change the other."
        return [Error("VOICEHUB_FIELD_KEYS holds the secret key.", hint=hint, id="voicehub.E002")]
    return []


@register()
def check_queue_serializer(**_: Any) -> list[CheckMessage]:
    """A pickle from the queue would be code that anybody with access to the queue can run."""
    pickled = [name for name, queue in settings.RQ_QUEUES.items() if "JSON" not in str(queue.get("SERIALIZER"))]
    return [Error(f"Queue {name!r} does not use JSON.", id="voicehub.E003") for name in pickled]


@register(deploy=True)
def check_company(**_: Any) -> list[CheckMessage]:
    """The statement that talents read aloud names the company; a sample's name must not end up in it."""
    if settings.VOICEHUB_COMPANY == "Northlight Voices":
        hint = "Set VOICEHUB_COMPANY to the company's legal name."
        return [Warning("The company is still the sample's.", hint=hint, id="voicehub.W001")]
    return []
