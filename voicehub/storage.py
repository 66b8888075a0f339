"""File storage: private files, and static files with a hash in their name.

Models refer to `private`, so that no migration contains a bucket or a folder.
"""

import hashlib
from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.files.storage import Storage, storages
from whitenoise.storage import CompressedManifestStaticFilesStorage

BLOCK = 1 << 20


def private() -> Storage:
    """The storage of takes, contracts and recordings. Only views that check permissions serve these files."""
    return storages["private"]


def hash_file(file: Any) -> str:
    """The SHA-256 (hex) of a binary file, read in blocks. Rewinds the file to its start."""
    file.seek(0)
    total = hashlib.sha256()
    while block := file.read(BLOCK):
        total.update(block)
    file.seek(0)
    return total.hexdigest()


class StudioStaticConfig(StaticFilesConfig):
    """Excludes unused files of the htmx package: its extensions refer to files that do not exist."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "ext", "htmx-4*", "htmax-4*"]


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    support_js_module_import_aggregation = True
