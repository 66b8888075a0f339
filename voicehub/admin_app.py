from django.contrib.admin.apps import AdminConfig


class StudioAdminConfig(AdminConfig):
    """Django's admin with our site in it, which has no sign-in page of its own."""

    default = False
    default_site = "voicehub.admin_site.StudioAdminSite"
