"""Django settings, read from environment variables by `voicehub.env`. The README lists them with their meaning."""

import sys
from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONCE, NONE, SELF
from django.urls import reverse_lazy

from launcher import valkey
from voicehub import env, upload_limits
from voicehub.talent_languages import TALENT_LANGUAGES

# Makes classes such as ModelAdmin generic at run time, as they are for the type checker.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.read_text("VOICEHUB_DATA_DIR", str(BASE_DIR / "var"))).resolve()

DEBUG = env.read_boolean("VOICEHUB_DEBUG", default=False)
# An empty secret is safe, because Django and voicehub.encryption refuse to use it.
NEEDS_SECRETS = env.needs_secrets(sys.argv)
SECRET_KEY = env.read_secret("VOICEHUB_SECRET_KEY", DATA_DIR / "secrets", needed=NEEDS_SECRETS)
FIELD_KEYS = env.read_secret("VOICEHUB_FIELD_KEYS", DATA_DIR / "secrets", needed=NEEDS_SECRETS)
VOICEHUB_FIELD_KEYS = [key.strip() for key in FIELD_KEYS.split(",") if key.strip()]

# Base URL of links in mails, of callbacks and of datasets.
VOICEHUB_BASE_URL = env.read_url("VOICEHUB_BASE_URL", "http://127.0.0.1:8000")
# The company that talents name in the spoken statement.
VOICEHUB_COMPANY = env.read_text("VOICEHUB_COMPANY", "Northlight Voices")
# The company's logo, on the pages of talents.
VOICEHUB_LOGO = env.read_logo("VOICEHUB_LOGO")
# Where talents reach the company by post, whom they can complain to, and where the servers stand: for the notice that
# they read before they consent.
VOICEHUB_COMPANY_ADDRESS = env.read_text("VOICEHUB_COMPANY_ADDRESS")
VOICEHUB_SUPERVISORY_AUTHORITY = env.read_text("VOICEHUB_SUPERVISORY_AUTHORITY")
VOICEHUB_DATA_LOCATION = env.read_text("VOICEHUB_DATA_LOCATION")
# A font with more scripts than Inter, for reports as PDF.
VOICEHUB_REPORT_FONT = env.read_font("VOICEHUB_REPORT_FONT")
# For a studio of one person: staff may approve takes that they recorded themselves. The audit log notes it each time.
VOICEHUB_ALLOW_REPEATED_RECORDINGS = env.read_boolean("VOICEHUB_ALLOW_REPEATED_RECORDINGS", default=False)
VOICEHUB_ALLOW_SELF_APPROVAL = env.read_boolean("VOICEHUB_ALLOW_SELF_APPROVAL", default=False)
# URL of the provider sandbox. Empty if there is none.
VOICEHUB_SANDBOX_URL = env.read_text("VOICEHUB_SANDBOX_URL").rstrip("/")

HTTPS = VOICEHUB_BASE_URL.startswith("https://")
ALLOWED_HOSTS = env.read_list("VOICEHUB_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = [VOICEHUB_BASE_URL]
# Number of our own proxies that append to X-Forwarded-For (voicehub.middleware).
VOICEHUB_PROXIES = env.read_integer("VOICEHUB_PROXIES", 0)

INSTALLED_APPS = [
    "voicehub.apps.VoiceHubConfig",
    "consent",
    "voices",
    "voicehub.apps.StudioAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "voicehub.storage.StudioStaticConfig",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    "django_rq",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # answers for static files, which it has compressed itself
    "voicehub.middleware.PageCompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "voicehub.middleware.PrivacyHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "voicehub.middleware.FormOriginMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "voicehub.viewer.ViewerMiddleware",
    "voicehub.sign_in.sessions.ActivityMiddleware",
    "voicehub.middleware.BodyLimitMiddleware",
    "voicehub.middleware.SignInMiddleware",
    "voicehub.sign_in.second_factor.SecondFactorMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "voicehub.middleware.FailureMiddleware",
    "voicehub.confirmation.ConfirmationMiddleware",
]

ROOT_URLCONF = "voicehub.urls"
WSGI_APPLICATION = "voicehub.wsgi.application"
ASGI_APPLICATION = "voicehub.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# A person waits for the web server, so it gives up early and says why. Background processes wait.
VOICEHUB_WEB = env.read_boolean("VOICEHUB_WEB", default=False)
WEB_WAIT_SECONDS, BACKGROUND_WAIT_SECONDS = 2, 20
DATABASE_URL = env.read_text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'db.sqlite3'}")
BACKGROUND_DATABASE = env.read_database(DATABASE_URL, BACKGROUND_WAIT_SECONDS)
DATABASES = {"default": env.read_database(DATABASE_URL, WEB_WAIT_SECONDS) if VOICEHUB_WEB else BACKGROUND_DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The queue carries only task ids (voicehub.outbox), as JSON, because unpickling data from a queue can run code.
REDIS_URL = env.read_text("REDIS_URL", valkey.build_url(DATA_DIR))
# After this time without a heartbeat, another worker may claim a task. One provider call takes less time.
VOICEHUB_LEASE_SECONDS = env.read_integer("VOICEHUB_LEASE_SECONDS", 60, minimum=3)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
QUEUE: dict[str, Any] = {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer", "DEFAULT_TIMEOUT": 3600}
RQ_QUEUES = dict.fromkeys(("urgent", "submit", "takes", "analysis"), QUEUE)

# Staff accounts (voicehub.sign_in). Sign-up is closed. Failed sign-ins are limited by voicehub.sign_in.limits.
AUTH_USER_MODEL = "voicehub.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("today")
LOGOUT_REDIRECT_URL = LOGIN_URL
# Roles whose people must have a second factor before they see anything else. A superuser has every role.
VOICEHUB_SECOND_FACTOR_ROLES = set(env.read_list("VOICEHUB_SECOND_FACTOR_ROLES", "admin" if HTTPS else ""))
# Each session ends after SESSION_COOKIE_AGE, and earlier if its person is idle. Security events are kept so many days.
VOICEHUB_IDLE_MINUTES = env.read_integer("VOICEHUB_IDLE_MINUTES", 120, minimum=5)
VOICEHUB_SECURITY_EVENT_DAYS = env.read_integer("VOICEHUB_SECURITY_EVENT_DAYS", 365, minimum=30, maximum=1095)
ACCOUNT_ADAPTER = "voicehub.sign_in.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_SESSION_REMEMBER = True  # no box on the sign-in page
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60  # seconds after a sign-in or a confirmation (voicehub.confirmation)
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": "20/m/ip,5/5m/key"}
ACCOUNT_FORMS = {
    "login": "voicehub.sign_in.forms.SignInForm",
    "change_password": "voicehub.sign_in.forms.ChangePasswordForm",
    "set_password": "voicehub.sign_in.forms.SetPasswordForm",
    "reset_password": "voicehub.sign_in.forms.ResetPasswordForm",
    "reset_password_from_key": "voicehub.sign_in.forms.ResetPasswordKeyForm",
    "reauthenticate": "voicehub.sign_in.forms.ReauthenticateForm",
}
MFA_ADAPTER = "voicehub.sign_in.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "voicehub.sign_in.forms.FactorForm",
    "activate_totp": "voicehub.sign_in.forms.ActivateAppForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
# Sign-up is closed, so a person cannot add a factor to the address of someone else.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Browsers allow passkeys at http://localhost, which is where `make run` serves.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# Sign-in through the studio's identity provider (voicehub.sign_in.oidc). Off without an issuer.
VOICEHUB_OIDC_ISSUER = env.read_text("VOICEHUB_OIDC_ISSUER").rstrip("/")
VOICEHUB_OIDC_CLIENT_ID = env.read_text("VOICEHUB_OIDC_CLIENT_ID")
VOICEHUB_OIDC_CLIENT_SECRET = env.read_text("VOICEHUB_OIDC_CLIENT_SECRET")
VOICEHUB_OIDC_NAME = env.read_text("VOICEHUB_OIDC_NAME", "your organization")
# Whether the identity provider asks everyone for a second factor, so that VoiceHub need not.
VOICEHUB_OIDC_HAS_SECOND_FACTOR = env.read_boolean("VOICEHUB_OIDC_HAS_SECOND_FACTOR", default=False)
SOCIALACCOUNT_ADAPTER = "voicehub.sign_in.oidc.ProviderAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = env.describe_identity_provider(
    VOICEHUB_OIDC_ISSUER, VOICEHUB_OIDC_CLIENT_ID, VOICEHUB_OIDC_CLIENT_SECRET, VOICEHUB_OIDC_NAME
)

# Of staff pages. Those of talents are in the language of their record (consent/services/talent_languages.py).
LANGUAGE_CODE = "en-us"
LANGUAGES = list(TALENT_LANGUAGES.items())
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.read_text("VOICEHUB_TIME_ZONE", "UTC")
USE_TZ = True

# Private files are served only by views that check permissions, so there is no MEDIA_URL.
S3_BUCKET = env.read_text("VOICEHUB_S3_BUCKET")
PRIVATE_FOLDER = DATA_DIR / "media"
PRIVATE_LOCAL = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": PRIVATE_FOLDER,
        "base_url": None,
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
PRIVATE_S3 = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": env.read_text("VOICEHUB_S3_ENDPOINT") or None,
        "region_name": env.read_text("VOICEHUB_S3_REGION") or None,
        "access_key": env.read_text("VOICEHUB_S3_ACCESS_KEY") or None,
        "secret_key": env.read_text("VOICEHUB_S3_SECRET_KEY") or None,
        "default_acl": None,
        "file_overwrite": False,
        "querystring_auth": True,
        "querystring_expire": 60,
        "client_config": env.make_s3_config(is_web=VOICEHUB_WEB),
    },
}
STATIC_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "voicehub.storage.HashedStorage"
STORAGES = {
    "private": PRIVATE_S3 if S3_BUCKET else PRIVATE_LOCAL,
    "default": PRIVATE_S3 if S3_BUCKET else PRIVATE_LOCAL,
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Uploads of any size go to a temporary file, not into memory. Only the small form fields are held in memory.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = upload_limits.FORM_FIELDS_BYTES

# Mail: smtp://user:password@host:587?tls=1. Without it, mails are written to DATA_DIR/mail.
MAIL = env.read_mail_server("VOICEHUB_EMAIL_URL")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if MAIL else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
if MAIL:
    EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.tls, MAIL.ssl
EMAIL_TIMEOUT = 20
# Whether a talent enters a code from a mail in each new browser. Without a mail server no talent would get it.
VOICEHUB_TALENT_CODES = env.read_boolean("VOICEHUB_TALENT_CODES", default=MAIL is not None)
DEFAULT_FROM_EMAIL = env.read_text("VOICEHUB_EMAIL_FROM", "VoiceHub <voicehub@localhost>")

# Content Security Policy: only our own resources, and nothing inline.
MEDIA_HOST = [env.read_text("VOICEHUB_S3_ENDPOINT")] if S3_BUCKET and env.read_text("VOICEHUB_S3_ENDPOINT") else []
OIDC_HOST = ["/".join(VOICEHUB_OIDC_ISSUER.split("/")[:3])] if VOICEHUB_OIDC_ISSUER else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # The nonce is for the one style element that wavesurfer.js adds to its shadow root.
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, *MEDIA_HOST],
        "media-src": [SELF, "blob:", *MEDIA_HOST],
        "worker-src": [SELF],
        # Browsers apply it to the redirects that follow a form, too.
        "form-action": [SELF, *OIDC_HOST],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
SILENCED_SYSTEM_CHECKS = ["security.W003"]  # it looks for Django's class by its name; ours is a subclass
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_ENGINE = "voicehub.sign_in.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "voicehub-session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "voicehub-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "voicehub.problem_pages.answer_csrf_failure"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"links": {"()": "voicehub.tokens.LinkRedactor"}},
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["links"]},
    },
    "root": {"handlers": ["console"], "level": env.read_text("VOICEHUB_LOG_LEVEL", "INFO").upper()},
    # At DEBUG, urllib3 logs full URLs, also secret ones such as signed URLs. fontTools lists every letter of a PDF.
    "loggers": {"rq": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}, "urllib3": {"level": "INFO"}},
}
