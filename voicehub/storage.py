"""Where files live: private ones, and static ones under names that carry their hash.

Models name `private`, so that no migration names a bucket or a folder.
"""

import hashlib
from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.files.storage import Storage, storages
from whitenoise.storage import CompressedManifestStaticFilesStorage

BLOCK = 1 << 20


def private() -> Storage:
    """Consents, contracts and recordings: reached only through views that check permission."""
    return storages["private"]


def hash_file(file: Any) -> str:
    """The SHA-256 in hex of a whole binary file, read in blocks; the file is left at its start."""
    file.seek(0)
    total = hashlib.sha256()
    while block := file.read(BLOCK):
        total.update(block)
    file.seek(0)
    return total.hexdigest()


class StudioStaticConfig(StaticFilesConfig):
    """Leaves out what no page uses of the htmx package: its extensions name files that cannot be followed."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "ext", "htmx-4*", "htmax-4*"]


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    support_js_module_import_aggregation = True
