"""The admin pages of this app, one module for each group of models."""

from voices.admin import builds, imports, remote, subjects, voices, work
from voices.admin.accounts import AccountAdmin, AccountAdminForm

__all__ = ["AccountAdmin", "AccountAdminForm", "builds", "imports", "remote", "subjects", "voices", "work"]
