"""Where private files live. Models name `private`, so that no migration names a bucket or a folder."""

import hashlib
from typing import Any

from django.core.files.storage import Storage, storages

BLOCK = 1 << 20


def private() -> Storage:
    """Consents, contracts and recordings: reached only through views that check permission."""
    return storages["private"]


def sha256_of(file: Any) -> str:
    """The SHA-256 in hex of a whole binary file, read in blocks; the file is left at its start."""
    file.seek(0)
    total = hashlib.sha256()
    while block := file.read(BLOCK):
        total.update(block)
    file.seek(0)
    return total.hexdigest()
