"""gunicorn configuration of the embedded studio: load everything once, prepare database and static files.

The processes that serve requests are forked from the first process after that, so they start at once and share the
loaded code.
"""

import hashlib
import os
import sys
from pathlib import Path

import django


def on_starting(server: object) -> None:
    """Called by gunicorn in its first process, before it listens. Until then, requests wait or are refused."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicehub.settings")
    os.environ.setdefault("VOICEHUB_WEB", "true")
    django.setup()
    prepare_database()
    refuse_sample()
    prepare_static()
    from django.urls import get_resolver

    list(get_resolver().url_patterns)  # imports every view


def prepare_database() -> None:
    """Apply missing migrations."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection, connections
    from django.db.migrations.executor import MigrationExecutor

    # No person waits for a migration, so it may wait for locks longer than a request.
    web_options = connection.settings_dict["OPTIONS"]
    connection.settings_dict["OPTIONS"] = settings.BACKGROUND_DATABASE["OPTIONS"]
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        _print_line("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)
    # A connection must not be shared with the processes that are forked next.
    connections.close_all()
    connection.settings_dict["OPTIONS"] = web_options


def refuse_sample() -> None:
    """Exit if the users of the sample could sign in at an https address."""
    from django.core.checks import run_checks
    from django.db import connections

    errors = run_checks(tags=["sample"])
    connections.close_all()
    if errors:
        sys.exit("\n".join(f"{error.msg}\n{error.hint}" for error in errors))


def prepare_static() -> None:
    """Collect the static files, if any of them changed since the last start."""
    from django.conf import settings
    from django.core.management import call_command

    stamp_file = settings.STATIC_ROOT / ".stamp"
    fingerprint = compute_fingerprint(settings.BASE_DIR, settings.STATICFILES_DIRS, debug=settings.DEBUG)
    if stamp_file.is_file() and stamp_file.read_text(encoding="ascii") == fingerprint:
        return
    _print_line("Collecting static files …")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp_file.write_text(fingerprint, encoding="ascii")


def compute_fingerprint(root: Path, folders: list[Path], *, debug: bool) -> str:
    """Hash name, size and time of the project's static files, and the lock file that pins packages with such files."""
    digest = hashlib.sha256(f"{django.__version__} {debug}".encode())
    files = sorted(path for folder in folders for path in Path(folder).rglob("*"))
    for path in [root / "requirements" / "run.txt", *files]:
        if path.is_file():
            status = path.stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _print_line(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the supervisor shows it
