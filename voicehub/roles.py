"""The permissions of each role. After every migration the groups are updated from this table.

Viewers can read and vote on previews, engineers manage voices and recordings, producers manage consents and builds,
admins do everything. What identifies talents, or is confidential, has permissions of its own, which viewers lack: real
names, contacts, contracts with their fees, recordings of consents, and spend. Engineers have the names only, because
talents read a statement with their name in the studio. Only admins see who opened the files of a talent.
"""

from typing import Any

VIEW_PERMISSIONS = [
    "consent.view_talent", "consent.view_contract", "consent.view_consent", "consent.view_take",
    "voices.view_voice", "voices.view_recording", "voices.view_build", "voices.view_remotevoice",
    "voices.add_blindvote",
]  # fmt: skip
SOUND_PERMISSIONS = [
    "consent.view_names", "consent.add_take", "voices.add_voice", "voices.change_voice",
    "voices.add_recording", "voices.change_recording", "voices.delete_recording",
]  # fmt: skip
PRIVATE_PERMISSIONS = ["consent.view_contacts", "consent.read_contract", "consent.hear_take", "voices.view_spend"]
PRODUCER_PERMISSIONS = [
    "consent.add_talent", "consent.change_talent", "consent.add_contract", "consent.add_consent",
    "consent.invite_talent", "consent.review_consent", "voices.start_build", "voices.view_account",
    "voices.change_remotevoice", "voices.delete_remotevoice", "voices.ask_preview",
    "voices.view_offlineproof", "voices.add_offlineproof",
]  # fmt: skip

ROLES = {
    "viewer": VIEW_PERMISSIONS,
    "engineer": VIEW_PERMISSIONS + SOUND_PERMISSIONS,
    "producer": VIEW_PERMISSIONS + SOUND_PERMISSIONS + PRIVATE_PERMISSIONS + PRODUCER_PERMISSIONS,
}


def update_roles(**migrated: Any) -> None:
    """Create the four groups and set their permissions. `admin` gets all permissions."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    if "app_config" in migrated:
        # Django's own receiver runs after this one, so the last app's permissions would not exist yet.
        create_permissions(**migrated)
    every_row = Permission.objects.select_related("content_type")
    permissions = {f"{row.content_type.app_label}.{row.codename}": row for row in every_row}
    for role, names in {**ROLES, "admin": list(permissions)}.items():
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set([permissions[name] for name in names if name in permissions])
