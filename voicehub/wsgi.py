"""WSGI application for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from voicehub.checks import refuse_sample_users

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
os.environ.setdefault("VOICEHUB_WEB", "true")
application = get_wsgi_application()
refuse_sample_users()
