"""What each role may do is the table in voicehub.roles, whatever the groups held before."""

import pytest
from django.contrib.auth.models import Group, Permission

from voicehub.models import User
from voicehub.roles import ROLES, update_roles

pytestmark = pytest.mark.django_db


def test_every_permission_of_the_table_exists() -> None:
    every = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    assert set().union(*ROLES.values()) <= every


def test_roles_contain_one_another(viewer: User, engineer: User, producer: User, outsider: User) -> None:
    held = [person.get_all_permissions() for person in (outsider, viewer, engineer, producer)]
    assert held[0] == set()
    assert held[1] < held[2] < held[3]


def test_money_and_judgement_are_the_producers(engineer: User, producer: User) -> None:
    for permission in ("voices.start_build", "consent.review_consent", "consent.invite_talent"):
        assert producer.has_perm(permission)
        assert not engineer.has_perm(permission)


def test_no_role_but_the_admins_may_change_evidence_or_accounts(producer: User) -> None:
    forbidden = {"consent.change_event", "consent.delete_take", "voices.change_account", "voices.delete_build"}
    assert not forbidden & producer.get_all_permissions()


def test_a_group_that_was_tampered_with_is_put_right() -> None:
    viewers = Group.objects.get(name="viewer")
    viewers.permissions.set(Permission.objects.all())
    update_roles()
    assert viewers.permissions.count() == len(ROLES["viewer"])


def test_admin_role_alone_holds_the_permission_of_the_queue() -> None:
    holders = Group.objects.filter(permissions__content_type__app_label="django_rq", permissions__codename="admin")
    assert [group.name for group in holders] == ["admin"]
