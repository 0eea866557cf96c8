"""Settings, every one of which is an environment variable; ``docs/server.md`` lists them.

``MESONET_HOME`` is the folder of everything that the server writes. A file ``.env`` in it can
hold the other variables.
"""

from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from mesonet_site.api.conf import DEFAULTS

env = environ.Env()

HOME = Path(env.str("MESONET_HOME", default=".")).resolve()
env.read_env(HOME / ".env")

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set: give the environment variable a long random text, "
        "or start the server with `mesonet serve`, which makes one."
    )
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "classifiers",
    "mesonet_site.api",
    "mesonet_site.pages",
    "axes",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework.authtoken",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "mesonet_site.logs.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "mesonet_site.pages.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "mesonet_site.pages.middleware.PageLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mesonet_site.limits.RequestSizeLimit",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
ROOT_URLCONF = "mesonet_site.urls"
WSGI_APPLICATION = "mesonet_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "pages"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mesonet_site.pages.context.navigation",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        *("UserAttributeSimilarityValidator", "MinimumLengthValidator"),
        *("CommonPasswordValidator", "NumericPasswordValidator"),
    )
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Spanish")]
LANGUAGE_COOKIE_SAMESITE = "Lax"
METRICS = env.bool("METRICS", default=False)
if METRICS:
    MIDDLEWARE.insert(0, "mesonet_site.metrics.RequestMetrics")
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "check"
LOGOUT_REDIRECT_URL = "check"

# Database, queue, cache

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{HOME / 'mesonet.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None  # closing it makes SQLite tidy up the file
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://mesonet")}
TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend"
        if env.bool("BACKGROUND_WORKER", default=True)
        else "django_tasks.backends.immediate.ImmediateBackend"
    }
}

# Files

STATIC_URL = env.str("STATIC_URL", default="/static/")
STATIC_ROOT = HOME / env.str("STATICFILES_DIR", default="static")
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "admin").is_dir()
MEDIA_URL = env.str("MEDIA_URL", default="/media/")
MEDIA_ROOT = HOME / env.str("MEDIA_FOLDER", default="media")
SERVE_MEDIA = env.bool("SERVE_MEDIA", default=True)
MODEL_FOLDER = HOME / env.str("MODEL_FILE_ROOT", default="ml_models")
DATA_ROOT = MEDIA_ROOT / env.str("DATA_ROOT", default="data")
DATA_URL = env.str("DATA_URL", default="") or (
    f"{MEDIA_URL}{DATA_ROOT.relative_to(MEDIA_ROOT).as_posix()}/"
    if DATA_ROOT.is_relative_to(MEDIA_ROOT)
    else "/data/"
)
IMAGE_SOURCES = env.list("IMAGE_SOURCES", default=[])
UPLOAD_FOLDER = HOME / env.str("UPLOAD_FOLDER", default="uploads")

STORAGES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if OBJECT_STORAGE := env.str("OBJECT_STORAGE", default=""):
    for _alias, _folder in {"default": "media", "models": "models", "uploads": "uploads"}.items():
        STORAGES[_alias] = {
            "BACKEND": OBJECT_STORAGE,
            "OPTIONS": {**env.json("OBJECT_STORAGE_OPTIONS", default={}), "location": _folder},
        }

# Limits and retention

CLASSIFIERS_MAX_MODEL_BYTES = env.int("MAX_MODEL_BYTES", default=200 << 20)
CLASSIFIERS_LOADED_MODELS = env.int("LOADED_MODELS", default=4)
CLASSIFIERS_LOAD_SECONDS = env.float("LOAD_SECONDS", default=120)
CLASSIFIERS_DRAW_SECONDS = env.float("DRAW_SECONDS", default=120)
CLASSIFIERS_WORKER_TIMEOUT = env.float("WORKER_TIMEOUT", default=20)
MAX_RECEIVED_BYTES = env.int("MAX_RECEIVED_BYTES", default=1 << 30)
_api = {name: env.get_value(name, type(default), default) for name, default in DEFAULTS.items()}
globals().update(_api)
DATA_UPLOAD_MAX_NUMBER_FILES = _api["MAX_IMAGES"]
FILE_UPLOAD_TEMP_DIR = env.str("UPLOAD_TEMP_DIR", default="") or None

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "mesonet_site.api.throttling.ThrottledTokens",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "mesonet_site.api.throttling.AnonymousThrottle",
        "mesonet_site.api.throttling.UserThrottle",
    ],
    "DEFAULT_SCHEMA_CLASS": "mesonet_site.api.schema.ProblemSchema",
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MesoNet API",
    "DESCRIPTION": "Tell real faces from manipulated ones. A `fake_probability` is 0..1, "
    "where 1 is manipulated; labels are `real` and `deepfake`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "MeasurementState": "classifiers.models.MLModel.State",
        "DetectionState": "mesonet_site.api.models.Detection.State",
        "Word": "mesonet_site.api.check_serializers.WORDS",
        "Outcome": "mesonet_site.api.check_serializers.OUTCOMES",
    },
}

# Security

AXES_FAILURE_LIMIT = env.int("SIGN_IN_FAILURES", default=10)
AXES_COOLOFF_TIME = timedelta(minutes=env.float("SIGN_IN_PAUSE_MINUTES", default=10))
AXES_LOCKOUT_PARAMETERS = ["ip_address", "username"]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "mesonet_site.api.throttling.address"
AXES_LOCKOUT_CALLABLE = "mesonet_site.pages.about.views.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username"]  # the log has the address; a name may be a password
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
HTTPS = env.bool("HTTPS", default=False)
X_FRAME_OPTIONS = "DENY"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^api/v1/(livez|readyz)/?$", r"^metrics$"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

# Logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"exceptions": {"()": "mesonet_site.logs.OnlyExceptions"}},
    "formatters": {"json": {"()": "mesonet_site.logs.JSONFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": ["console"], "propagate": False},
        "django.request": {"filters": ["exceptions"]},
        "django.server": {"handlers": ["console"], "propagate": False},
    },
}
