"""All settings, read from the environment, typed, failing loudly. ``.env.example`` lists every variable."""

from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from eventops import logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists() and not env.bool("EVENTOPS_IGNORE_DOTENV", default=False):
    env.read_env(BASE_DIR / ".env")

# --- What runs -------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
EVENTOPS_DEMO = env.bool("EVENTOPS_DEMO", default=False)
"""The demo on one machine: seeded data, the sandbox as the outside world, plain HTTP."""
SECRET_KEY = env.str("AUTH_SECRET")
BASE_URL = env.str("BASE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[BASE_URL])
BUILD_ID = env.str("BUILD_ID", default="dev")

ROOT_URLCONF = "eventops.urls"
WSGI_APPLICATION = "eventops.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.microsoft",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "django_structlog",
    "ninja",
    "pgtrigger",
    "pghistory",
    "template_partials",
    "common",
    "identity",
    "events",
    "accounts",
    "people",
    "activities",
    "outreach",
    "sequences",
    "meetings",
    "analytics",
    "integrations",
    "research",
    "eventops",
    "identity.admin_app.EventopsAdminConfig",
]

if DEBUG or EVENTOPS_DEMO:
    INSTALLED_APPS.append("sandbox")

MIDDLEWARE = [
    "eventops.health.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "common.headers.add_security_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "identity.audit.forget_actor_after_request",
]

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
                "common.context_processors.frame",
                "events.context.nav_events",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data ------------------------------------------------------------------------------------------------------------

DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL", engine="django.db.backends.postgresql"),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"connect_timeout": 5},
    }
}
if env.bool("DATABASE_POOL", default=False):
    # For the web processes only: a Celery child has one connection.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": 8,
        "timeout": 5,
    }

QUERY_PATIENCE = env.float("QUERY_PATIENCE", default=1.0)
"""Lists give a query some milliseconds before they choose another way; this multiplies them, for a slow database."""

REDIS_URL = env.str("REDIS_URL", default="")
"""The broker and, in the next database number, the cache. Empty: no background work, cache in memory."""


def _next_redis_database(url: str) -> str:
    base, _, last = url.rpartition("/")
    return f"{base}/{int(last) + 1}" if last.isdigit() else f"{url.rstrip('/')}/1"


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _next_redis_database(REDIS_URL),
        "TIMEOUT": 300,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- Who is asking ---------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EVENTOPS_DEMO or DEBUG
USERSESSIONS_TRACK_ACTIVITY = False
ACCOUNT_ADAPTER = "identity.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "identity.forms.SignInForm", "signup": "identity.forms.DomainSignupForm"}
EVENTOPS_REPLY_READER = env.str("EVENTOPS_REPLY_READER", default="")
"""A class that reads the answers the rules cannot tell (``outreach.ports.ReplyReader``); nobody by default."""

EVENTOPS_SIGNUP = env.str("EVENTOPS_SIGNUP", default="open")
"""Who may make an account: anybody (``open``), only the invited (``invite``), or some e-mail domains (``domains``)."""
EVENTOPS_SIGNUP_DOMAINS = [domain.lower() for domain in env.list("EVENTOPS_SIGNUP_DOMAINS", default=[])]
SOCIALACCOUNT_ADAPTER = "identity.adapter.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
_SIGN_IN_AT = {"google": "https://accounts.google.com", "microsoft": "https://login.microsoftonline.com"}
SOCIALACCOUNT_PROVIDERS = {
    name: {
        "APPS": [
            {
                "client_id": client_id,
                "secret": env.str(f"{name.upper()}_LOGIN_CLIENT_SECRET"),
            }
        ]
    }
    for name in _SIGN_IN_AT
    if (client_id := env.str(f"{name.upper()}_LOGIN_CLIENT_ID", default=""))
}

# --- Mail of the product itself (invitations, verification) ----------------------------------------------------------

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="EventOps <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Background work -------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL or "memory://")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 850
CELERY_TASK_SOFT_TIME_LIMIT = 800
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    "unacked_restore_interval": 30,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
}
CELERY_BEAT_SCHEDULER = "eventops.beat:SoleScheduler"
CELERY_WORKER_SEND_TASK_EVENTS = False
WORKER_HEALTH_HOST = env.str("WORKER_HEALTH_HOST", default="127.0.0.1" if EVENTOPS_DEMO else "0.0.0.0")  # noqa: S104
WORKER_HEALTH_PORT = env.int("WORKER_HEALTH_PORT", default=8080)
"""Where a worker answers ``GET /health``; 0 switches it off."""
CELERY_TIMEZONE = "UTC"
CRON_SECRET = env.str("CRON_SECRET", default="")
"""Lets an outside scheduler ring the bell over HTTP. Empty: those addresses are closed."""

# --- Vendors ---------------------------------------------------------------------------------------------------------

SANDBOX_URL = env.str("SANDBOX_URL", default="")
"""Where the locally played vendors listen. Production refuses to start with it."""
SENDGRID_BASE_URL = env.str("SENDGRID_BASE_URL", default=SANDBOX_URL or "https://api.sendgrid.com").rstrip("/")
SENDGRID_WEBHOOK_KEY = env.str("SENDGRID_WEBHOOK_KEY", default="")
"""The verification key of SendGrid's signed event webhook, for mailboxes that have none of their own."""
EVENTOPS_DNS_SERVERS = env.list("EVENTOPS_DNS_SERVERS", default=[urlsplit(SANDBOX_URL).netloc] if SANDBOX_URL else [])
"""Who is asked about names: ``address:port``; empty: the machine's resolvers; ``off``: nobody. The sandbox plays one."""
EVENTOPS_SEND_EPOCH = env.str("EVENTOPS_SEND_EPOCH", default="")
"""Which installation may send from the database. A restored copy runs under another one and sends nothing."""
EVENTOPS_RECIPIENT_DOMAINS = [
    domain.lower()
    for domain in env.list(
        "EVENTOPS_RECIPIENT_DOMAINS",
        # A developer's machine that talks to the real provider writes to nobody unless somebody says so.
        default=[] if DEBUG and SENDGRID_BASE_URL.endswith("sendgrid.com") else ["*"],
    )
]
"""The domains that may be written to; ``*`` means all."""
EVENTOPS_ENCRYPTION_KEYS = env.str("EVENTOPS_ENCRYPTION_KEYS", default="")
"""Master keys of stored credentials: ``name:base64`` pairs, the current one first (``common.crypto``)."""

# --- Pages -----------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = None
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = env.bool("WHITENOISE_USE_FINDERS", default=DEBUG or EVENTOPS_DEMO)
"""Serve static files from their sources, without ``collectstatic``."""
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# --- Safety ----------------------------------------------------------------------------------------------------------

_TLS = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=_TLS)
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
"""One proxy of ours stands in front: believe what it says about the scheme and the caller's address."""
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if _TLS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = _TLS
SECURE_HSTS_PRELOAD = _TLS
SESSION_COOKIE_SECURE = _TLS
CSRF_COOKIE_SECURE = _TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        # Browsers hold the redirect that follows a form to this as well.
        "form-action": [SELF, *(_SIGN_IN_AT[name] for name in SOCIALACCOUNT_PROVIDERS)],
        "frame-ancestors": [NONE],
    }
}

if EVENTOPS_SIGNUP not in {"open", "invite", "domains"}:
    raise ImproperlyConfigured("EVENTOPS_SIGNUP must be open, invite or domains.")
if EVENTOPS_SIGNUP == "domains" and not EVENTOPS_SIGNUP_DOMAINS:
    raise ImproperlyConfigured(
        "EVENTOPS_SIGNUP=domains needs EVENTOPS_SIGNUP_DOMAINS, such as example.com,example.org."
    )
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("AUTH_SECRET must be at least 32 characters: try `openssl rand -base64 48`.")

# --- Logs ------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOGGING = logs.configure(level=LOG_LEVEL)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
