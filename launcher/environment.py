"""What the embedded studio has before any setting is read: its data folder and secrets of its own.

Only `manage.py studio` makes secrets. Every other command demands that they are there (voicehub.env.secret):
a server that lost its secrets stops instead of quietly making new ones that cannot read the old data.
"""

import base64
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """VOICEHUB_DATA_DIR, or var/ beside manage.py."""
    return Path(os.environ.get("VOICEHUB_DATA_DIR", "").strip() or ROOT / "var").resolve()


def make_secrets(folder: Path) -> None:
    """Make `folder`, readable by its owner only, and in it every secret that is given nowhere else."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    kept_in = folder / "secrets"
    kept_in.mkdir(mode=0o700, exist_ok=True)
    _keep(kept_in, "VOICEHUB_SECRET_KEY", secrets.token_urlsafe(50))
    # A Fernet key is 32 random bytes in URL-safe base64.
    _keep(kept_in, "VOICEHUB_FIELD_KEYS", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


def _keep(folder: Path, name: str, value: str) -> None:
    path = folder / name.removeprefix("VOICEHUB_").lower()
    if os.environ.get(name) or os.environ.get(f"{name}_FILE") or path.exists():
        return
    # Written whole under another name first: a start that is cut off leaves no half of a secret behind.
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
