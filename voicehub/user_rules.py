"""Who may change which user: no one gains permissions by it, and one superuser stays."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db.models import Q, QuerySet

from voicehub.models import User

LAST_SUPERUSER = "No other superuser can sign in. Make another user a superuser before you change {name}."
LAST_TO_DELETE = "No other superuser can sign in. Make another user a superuser before you delete {name}."


def find_superusers() -> QuerySet[User]:
    """The superusers who can sign in to the admin."""
    superusers = User.objects.filter(is_superuser=True, is_active=True, is_staff=True)
    return superusers.exclude(password="").exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def is_last_superuser(user: User) -> bool:
    # Locked: two superusers who demote each other at the same time must not both succeed.
    return list(find_superusers().select_for_update()) == [user]


def find_permissions(user: User) -> set[int]:
    """The user's permissions. Those of an inactive account count, because it may be activated again."""
    held = Permission.objects.filter(Q(group__user=user) | Q(user=user))
    return set(held.values_list("pk", flat=True))


def can_manage(editor: User | AnonymousUser, user: User) -> bool:
    """Whether the user has no permission that the editor lacks, so that the editor gains nothing by the change."""
    if editor.is_superuser:
        return True
    return isinstance(editor, User) and not user.is_superuser and find_permissions(user) <= find_permissions(editor)


def find_assignable_roles(editor: User | AnonymousUser) -> QuerySet[Group]:
    """The roles that contain no permission that the editor lacks."""
    if editor.is_superuser:
        return Group.objects.all()
    held = find_permissions(editor) if isinstance(editor, User) else set()
    return Group.objects.exclude(permissions__in=Permission.objects.exclude(pk__in=held))
