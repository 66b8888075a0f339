"""The data folder and the secrets of the embedded studio, made before settings are read.

Only `manage.py studio` makes secrets. Every other command requires them (voicehub.env.secret):
a server that lost its secrets stops instead of quietly making new ones that cannot read the old data.
"""

import base64
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def get_data_dir() -> Path:
    """Return VOICEHUB_DATA_DIR, or var/ beside manage.py."""
    return Path(os.environ.get("VOICEHUB_DATA_DIR", "").strip() or ROOT / "var").resolve()


def make_secrets(folder: Path) -> None:
    """Make `folder`, readable by its owner only, and in it every secret that the environment does not set."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    secrets_dir = folder / "secrets"
    secrets_dir.mkdir(mode=0o700, exist_ok=True)
    _write_secret(secrets_dir, "VOICEHUB_SECRET_KEY", secrets.token_urlsafe(50))
    # A Fernet key is 32 random bytes in URL-safe base64.
    _write_secret(secrets_dir, "VOICEHUB_FIELD_KEYS", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


def _write_secret(folder: Path, name: str, value: str) -> None:
    path = folder / name.removeprefix("VOICEHUB_").lower()
    if os.environ.get(name) or os.environ.get(f"{name}_FILE") or path.exists():
        return
    # Written under another name first, so that an interrupted start leaves no partial secret.
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
