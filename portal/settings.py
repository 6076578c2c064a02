"""Django's settings, made of those of the house; ``configure`` comes before anything of Django is imported.

Two processes serve the portal, so what they share stands in its database: sessions, and the counts that slow down who
guesses passwords.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from portal.secret import ensure_secret, folder
from results import reports
from settings.ports import remembered_ports
from settings.secrets import read_secret
from settings.settings import Settings, SettingsError

_HERE: Final = Path(__file__).parent
#: The font that the drawings are measured for; the reports have it as well.
_FONTS: Final = Path(reports.__file__).parent / "fonts"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOURS: Final = 3_600
#: An invitation and a new password must be used within so many seconds.
INVITED_SECONDS: Final = 3 * 24 * _HOURS
#: How often somebody may try, by address of the machine and by what is tried.
_RATES: Final = {
    "login": "30/m/ip",
    "login_failed": "20/5m/ip,5/5m/key",
    "reset_password": "5/m/ip,3/h/key",
    "reauthenticate": "10/m/user",
}
#: Seconds that a browser keeps to TLS.
_STRICT_SECONDS: Final = 365 * 24 * _HOURS
#: What the worker that blinds and seals may do: compile its own code, and speak to nobody.
WORKER_POLICY: Final = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'"
WORKER: Final = "/portal/js/worker.js"
_MIDDLEWARE: Final = (
    "portal.pages.start.Ready",
    "portal.people.counting.Counted",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.people.doorman.Headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "portal.people.doorman.Doorman",
)
_APPS: Final = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "auditlog",
    "portal.people",
    "portal.pages",
)


def origin(settings: Settings) -> str:
    """The address of the portal as people type it.

    Raises:
        SettingsError: it is plain HTTP of another machine.
    """
    ports = remembered_ports(settings)
    found = settings.portal_origin or f"http://localhost:{ports.portal if ports else settings.portal_port}"
    parts = urlsplit(found)
    if parts.scheme == "http" and (parts.hostname or "") not in _LOCAL:
        raise SettingsError("SOR_PORTAL_ORIGIN must be https://: without TLS people log in on this machine alone.")
    return found


def intake(settings: Settings) -> str:
    """The address of the intake as a browser reaches it; empty where no stack ever ran."""
    if settings.portal_intake is not None:
        return settings.portal_intake
    ports = remembered_ports(settings)
    return f"http://127.0.0.1:{ports.intake}" if ports is not None else ""


def page_policy(intake_origin: str) -> dict[str, Any]:
    """The Content-Security-Policy of every page."""
    own = ["'self'"]
    return {
        "default-src": ["'none'"],
        "script-src": own,
        "style-src": own,
        "img-src": [*own, "data:"],
        "font-src": own,
        "connect-src": [*own, *([intake_origin] if intake_origin else [])],
        "worker-src": own,
        "form-action": own,
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["sor"],
    }


def worker_headers(headers: Any, _path: str, url: str) -> None:
    """The worker has a policy of its own."""
    if url.endswith(WORKER):
        headers["Content-Security-Policy"] = WORKER_POLICY
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def django_settings(settings: Settings) -> dict[str, Any]:
    """Every setting of Django, by its name.

    Raises:
        SettingsError: the secret, the database or the origin cannot be used.
    """
    return {
        "SOR": settings,
        "DEBUG": False,
        "SECRET_KEY": ensure_secret(settings),
        "ROOT_URLCONF": "portal.urls",
        "INSTALLED_APPS": list(_APPS),
        "MIDDLEWARE": list(_MIDDLEWARE),
        "TEMPLATES": [_templates()],
        "DATABASES": {"default": database(settings)},
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "portal_cache",
                "TIMEOUT": 24 * _HOURS,
            }
        },
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "LANGUAGE_CODE": "nl",
        "TIME_ZONE": "Europe/Amsterdam",
        "LOGGING_CONFIG": None,
        "STATIC_URL": "/static/",
        "STATICFILES_DIRS": [_HERE / "static", ("portal/fonts", _FONTS)],
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_ALLOW_ALL_ORIGINS": False,
        "WHITENOISE_ADD_HEADERS_FUNCTION": worker_headers,
        "AUDITLOG_DISABLE_REMOTE_ADDR": True,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 256_000,
        "FILE_UPLOAD_HANDLERS": [],  # nobody hands a file to the portal
        **_safety(settings),
        **_people(settings),
        **_mail(settings),
    }


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.pages.surroundings.surroundings",
            ]
        },
    }


def database(settings: Settings) -> dict[str, Any]:
    """SQLite in the portal's folder, else the PostgreSQL of the settings.

    Raises:
        SettingsError: PostgreSQL is asked for and its driver is not here.
    """
    if settings.portal_database is None:
        place = folder(settings) / "portal.sqlite3"
        place.touch(0o600)
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"
        options = {"init_command": pragmas, "transaction_mode": "IMMEDIATE", "timeout": 20}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(place), "OPTIONS": options}
    parts = urlsplit(settings.portal_database)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not parts.path.strip("/"):
        raise SettingsError("SOR_PORTAL_DATABASE must be postgresql://host[:port]/name.")
    if find_spec("psycopg") is None:
        raise SettingsError("SOR_PORTAL_DATABASE needs the driver of PostgreSQL. Run: pip install 'psycopg[binary]'")
    password = settings.portal_database_password_file
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "HOST": parts.hostname,
        "PORT": parts.port or 5432,
        "USER": settings.portal_database_user,
        "PASSWORD": read_secret(password) if password else "",
        "CONN_MAX_AGE": 60,
    }


def _safety(settings: Settings) -> dict[str, Any]:
    place = origin(settings)
    parts = urlsplit(place)
    plain = parts.scheme == "http"
    hosts = [parts.hostname or "", *(("localhost", "127.0.0.1") if plain else ())]
    prefix = "" if plain else "__Host-"
    return {
        "ALLOWED_HOSTS": list(dict.fromkeys(hosts)),
        "CSRF_TRUSTED_ORIGINS": [place],
        "SESSION_COOKIE_NAME": f"{prefix}portal",
        "SESSION_COOKIE_AGE": 8 * _HOURS,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": not plain,
        # Who comes back from another issuer comes from another site
        "SESSION_COOKIE_SAMESITE": "Lax" if settings.portal_oidc_issuer else "Strict",
        "CSRF_COOKIE_NAME": f"{prefix}csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SECURE": not plain,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_FAILURE_VIEW": "portal.pages.failures.csrf",
        "SECURE_SSL_REDIRECT": False,  # the proxy in front does it
        "SECURE_HSTS_SECONDS": 0 if plain else _STRICT_SECONDS,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "CONTENT_SECURITY_POLICY": {"DIRECTIVES": page_policy(intake(settings))},
    }


def _people(settings: Settings) -> dict[str, Any]:
    validation = "django.contrib.auth.password_validation"
    plain = origin(settings).startswith("http://")
    return {
        "AUTH_USER_MODEL": "people.Gebruiker",
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "PASSWORD_HASHERS": ["portal.people.hashing.Argon2InTurn"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"{validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": f"{validation}.CommonPasswordValidator"},
            {
                "NAME": f"{validation}.UserAttributeSimilarityValidator",
                "OPTIONS": {"user_attributes": ["email", "naam"]},
            },
        ],
        "PASSWORD_RESET_TIMEOUT": INVITED_SECONDS,
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "start",
        "ACCOUNT_LOGOUT_REDIRECT_URL": "account_login",
        "ACCOUNT_ADAPTER": "portal.people.adapter.Closed",
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
        "ACCOUNT_LOGIN_METHODS": {"email"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*", "password2*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",  # an invitation goes by mail: who has used it, reads it
        "ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS": False,
        "ACCOUNT_PREVENT_ENUMERATION": True,
        "ACCOUNT_EMAIL_NOTIFICATIONS": True,  # of a new password or second factor
        "ACCOUNT_EMAIL_SUBJECT_PREFIX": "Sturen op Resultaat: ",
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE": True,
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": 300,
        "ACCOUNT_REAUTHENTICATION_METHODS": ("password", "mfa"),  # a mail is no proof of who sits there
        "ACCOUNT_RATE_LIMITS": _RATES,
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "http" if plain else "https",
        "MFA_ADAPTER": "portal.people.adapter.Sealed",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_TOTP_ISSUER": "Sturen op Resultaat",
        "MFA_TOTP_TOLERANCE": 1,
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": plain,
        "USERSESSIONS_TRACK_ACTIVITY": False,
        "SOCIALACCOUNT_ADAPTER": "portal.people.adapter.Known",
        **(_issuer(settings) if settings.portal_oidc_issuer else {}),
    }


def _issuer(settings: Settings) -> dict[str, Any]:
    secret = settings.portal_oidc_secret_file
    app = {
        "provider_id": "organisatie",
        "name": settings.portal_oidc_name,
        "client_id": settings.portal_oidc_client,
        "secret": read_secret(secret) if secret else "",
        "settings": {
            "server_url": settings.portal_oidc_issuer,
            "oauth_pkce_enabled": True,
            "auth_params": {"prompt": "login"},  # asked each time: who comes back from it has just shown who it is
        },
    }
    return {
        "SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": [app]}},
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION": True,
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT": True,
        "SOCIALACCOUNT_STORE_TOKENS": False,
    }


def _mail(settings: Settings) -> dict[str, Any]:
    common = {"DEFAULT_FROM_EMAIL": settings.mail_sender, "SERVER_EMAIL": settings.mail_sender}
    if settings.mail_server is None:
        post = settings.mail_outbox or settings.home / "mail"
        backend = "django.core.mail.backends.filebased.EmailBackend"
        return {**common, "EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": str(post)}
    host, _, port = settings.mail_server.rpartition(":")
    password = settings.mail_password_file
    return {
        **common,
        "EMAIL_HOST": host,
        "EMAIL_PORT": int(port),
        "EMAIL_USE_TLS": settings.mail_starttls,
        "EMAIL_HOST_USER": settings.mail_user,
        "EMAIL_HOST_PASSWORD": read_secret(password) if password else "",
        "EMAIL_TIMEOUT": 20,
    }


def configure(settings: Settings) -> None:
    """Set up Django in this process; a second time does nothing.

    Raises:
        SettingsError: as ``django_settings``.
    """
    import django  # takes a moment: only who serves the portal needs it
    from django.conf import settings as of_django

    if not of_django.configured:
        of_django.configure(**django_settings(settings))
        django.setup()
