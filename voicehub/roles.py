"""What each role may do. The groups are made anew from this table after every migration.

Viewers read, engineers run voices and recordings, producers run consents and builds, admins everything.
"""

from typing import Any

VIEW_PERMISSIONS = [
    "consent.view_talent", "consent.view_contract", "consent.view_consent", "consent.view_take",
    "voices.view_voice", "voices.view_recording", "voices.view_build", "voices.view_remotevoice",
]  # fmt: skip
SOUND_PERMISSIONS = [
    "consent.add_take", "voices.add_voice", "voices.change_voice",
    "voices.add_recording", "voices.change_recording", "voices.delete_recording",
]  # fmt: skip
PRODUCER_PERMISSIONS = [
    "consent.add_talent", "consent.change_talent", "consent.add_contract", "consent.add_consent",
    "consent.invite_talent", "consent.review_consent", "voices.start_build", "voices.view_account",
    "voices.change_remotevoice", "voices.delete_remotevoice", "voices.ask_preview",
]  # fmt: skip

ROLES = {
    "viewer": VIEW_PERMISSIONS,
    "engineer": VIEW_PERMISSIONS + SOUND_PERMISSIONS,
    "producer": VIEW_PERMISSIONS + SOUND_PERMISSIONS + PRODUCER_PERMISSIONS,
}


def update_roles(**migrated: Any) -> None:
    """Make the four groups and give each exactly its permissions; `admin` gets every one there is."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    if "app_config" in migrated:
        # Django's own receiver runs after this one, so the permissions of the last app would be missing.
        create_permissions(**migrated)
    every = {f"{p.content_type.app_label}.{p.codename}": p for p in Permission.objects.select_related("content_type")}
    for role, names in {**ROLES, "admin": list(every)}.items():
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set([every[name] for name in names if name in every])
