"""The table in voicehub.roles decides what each role may do, even if its group was changed."""

import pytest
from django.contrib.auth.models import Group, Permission

from voicehub.models import User
from voicehub.roles import ROLES, update_roles

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_every_permission_of_the_roles_exists() -> None:
    existing = {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in Permission.objects.select_related("content_type")
    }
    assert set().union(*ROLES.values()) <= existing


def test_each_role_has_all_permissions_of_the_role_below_and_more(
    viewer: User, engineer: User, producer: User, outsider: User
) -> None:
    permissions = [person.get_all_permissions() for person in (outsider, viewer, engineer, producer)]
    assert permissions[0] == set()
    assert permissions[1] < permissions[2] < permissions[3]


def test_producer_may_start_builds_review_consents_and_invite_talents_but_engineer_may_not(
    engineer: User, producer: User
) -> None:
    for permission in ("voices.start_build", "consent.review_consent", "consent.invite_talent"):
        assert producer.has_perm(permission)
        assert not engineer.has_perm(permission)


def test_producer_may_not_change_evidence_or_accounts(producer: User) -> None:
    forbidden = {"consent.change_event", "consent.delete_take", "voices.change_account", "voices.delete_build"}
    assert not forbidden & producer.get_all_permissions()


def test_update_roles_resets_the_permissions_of_a_changed_group() -> None:
    viewers = Group.objects.get(name="viewer")
    viewers.permissions.set(Permission.objects.all())
    update_roles()
    assert viewers.permissions.count() == len(ROLES["viewer"])


def test_only_admin_role_may_see_the_queue() -> None:
    holders = Group.objects.filter(permissions__content_type__app_label="django_rq", permissions__codename="admin")
    assert [group.name for group in holders] == ["admin"]
