"""ASGI application. The embedded studio uses voicehub.wsgi, which is faster for these views."""

import os

from django.core.asgi import get_asgi_application

from voicehub.checks import refuse_sample_users

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
os.environ.setdefault("VOICEHUB_WEB", "true")
application = get_asgi_application()
refuse_sample_users()
