"""What the sandbox decides where AudioStack's pages are silent. All of this is ours.

None of these values is a fact about AudioStack, unless the line says that it is the vendor's.
"""

# --- files ------------------------------------------------------------------------------------------------

UPLOAD_SECONDS = 7 * 24 * 3600.0
"""Vendor: an address to upload to is good for seven days."""

PENDING, UPLOADED = "pending", "uploaded"
"""The second is the vendor's. There is nothing to do with a file here: it is uploaded as soon as it has arrived."""

LONGEST_FILE_NAME = 255
LARGEST_UPLOAD = 500_000_000
"""Bytes of one file, as the vendor has no limit for one: what a whole voice may have."""

TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".flac": "audio/flac", ".ogg": "audio/ogg", ".m4a": "audio/mp4"}
OTHER_TYPE = "application/octet-stream"
"""The `mimeType` of a file, by how its name ends. Any file is taken; what is no audio is discarded by a cloning."""

ACCESS = ("public", "private")
"""Vendor's words. A new file is "public": the vendor says that all of the organisation see it. A key is one."""

# An upload must come with the Content-Type that was given, and may be made again until the address has expired. Where
# the address is not good, the answer is 403, as an object store's. File names are taken as they are.

# --- cloning ----------------------------------------------------------------------------------------------

STANDARD, INSTANT = "voice_engine_2", "voice_engine_3"
MOST_FILES = {STANDARD: 500, INSTANT: 25}
MOST_BYTES = {STANDARD: 500_000_000, INSTANT: 10_000_000}
CREDITS = {STANDARD: 1200.0, INSTANT: 300.0}
"""All three the vendor's; megabytes may mean powers of two. Charged when the voice has succeeded (vendor)."""

SHORTEST_FILE = 1.5
"""Seconds, vendor's. A shorter file is discarded, with the reason; it alone refuses nothing."""

INSTANT_SECONDS = 1.5
"""Vendor's least for voice_engine_3. For voice_engine_2 the vendor wants 20 minutes; the sandbox asks for the setting
`professional_seconds`, so that a small sample can build."""

# voice_engine_2: the last of `fileIds` is the file in which the speaker agrees to be cloned; where it goes is nowhere
# said. It is not one of the MOST_FILES, and not trained on. There is no fixed wording, so speech is enough.
SHORTEST_CONSENT_SPEECH = 2.0
"""Seconds of speech below which nobody can have agreed to anything."""

LONGEST_ALIAS = 128

# What is wrong with a request is 400 (the vendor's list of codes has no 422), a file that is not there 404, an alias
# that anybody has 409. An alias stays taken when its cloning has failed.

PROCESSING, SUCCEEDED, FAILED = "processing", "succeeded", "failed"
"""The second is the vendor's."""

TOO_SHORT = "The file is shorter than 1.5 seconds."
UNREADABLE = "The file is not readable as audio."
SILENT = "There is no speech in the file."
OUTLIER = "The file sounds unlike the others: another speaker, or much louder or quieter."
"""Reasons in `discardedFiles`, a list of {"fileId", "reason"}. A failed voice says why in `message`."""

# --- voices -----------------------------------------------------------------------------------------------

STOCK_VOICE = {"provider": "audiostack", "alias": "sandbox-stock", "language": "english"}
"""The catalogue: this one, which cannot speak here, and the account's own that succeeded. Filters filter nothing."""

LONGEST_TEXT = 1000
PREVIEW_CREDITS = 1.0
"""A preview is answered with the sound itself, a WAV. The vendor has neither its form nor its price."""

BALANCE = 100_000.0
"""`creditsRemaining` of every answer. The sandbox counts nothing down; what was charged stands in its ledger."""
