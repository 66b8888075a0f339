"""What the sandbox decides where the page of Resemble v1 is silent. All of this is ours.

None of these values is a fact about Resemble, unless the line says that it is the vendor's.
"""

INVALID = 400
"""The status of a refused field: 422 is not among the codes that the vendor's own client knows."""

LONGEST_NAME = 256
LONGEST_ADDRESS = 1000
"""Characters. Those of v2's page."""

AUDIO_NAME = r"[A-Za-z0-9]+\.wav"
"""Vendor: "Alpha-numeric with .wav extension", of every audio file; also of the one that is sent as it is."""

ARCHIVE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*\.(zip|tar\.gz|tgz|tar)"
"""Vendor: .zip or .tar.gz. How else an archive may be called is not said."""

CONTENT_TYPES = {
    "audio/x-wav": "wav",
    "application/gzip": "archive",
    "application/tar": "archive",
    "application/x-tar": "archive",
    "application/zip": "archive",
}
"""Vendor's, but for the last one: the page takes .zip and lists no type for it. The first one is the default."""

DEFAULT_CONTENT_TYPE = "audio/x-wav"

LARGEST_FILE = 512 * 1024 * 1024
"""Bytes that may be announced."""

ADDRESS_SECONDS = 15 * 60.0
"""How long a signed address is good for. It may be used again until then, and needs no key: a key is refused, as
object stores do. It answers in their XML: 403 for an address that is wrong or too old and for headers that are not
those of the announcement, 400 for bytes that are not."""

LANGUAGE = "en-US"
"""Of every voice: the list has a language, and no call sets one."""

# Statuses are the words of v2: initializing until the build, running, then finished or dataset_issue. The list carries
# them, an `issue` beside dataset_issue, and the four scores under `scores` once a voice is finished. The vendor's list
# is only known to have name, language, id and uuid. The build answers {"success": true}; a voice that is in training is
# not built again, one that has ended is, and pays again. A plan that may not build gets 403, as an account does whose
# consents were never proved. Calls are not counted: the vendor's ten per second are not kept here.

# The callback is that of v2, with the scores of a finished voice, for either end of a training.

SHORTEST_CLIP, LONGEST_CLIP = 1.5, 20.0
"""Vendor. Of clips in an archive; the raw WAV may be of any length. The advised 50 clips and ten minutes are no rule;
what there must be of usable sound is the setting `professional_seconds`."""

PIECE_SECONDS = 15.0
MOST_PIECES = 80
"""A raw WAV is listened to in pieces, evenly chosen where there are many: 20 minutes in all."""

MOST_NAMED = 10
"""Files that an issue names; of more it says how many there are."""

BUILD_PRICE = 500.0
"""US cents on the ledger for a build; what the vendor charges is not known. Making a voice costs nothing."""
