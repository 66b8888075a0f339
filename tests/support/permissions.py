"""Single permissions, beside those of a role."""

from django.contrib.auth.models import Permission

from voicehub.models import User


def grant(user: User, *names: str) -> User:
    """Give the user these permissions. Returns a fresh user, because Django caches what a user may do."""
    rows = Permission.objects.filter(codename__in=names)
    assert len(rows) == len(names), names
    user.user_permissions.add(*rows)
    return User.objects.get(pk=user.pk)
