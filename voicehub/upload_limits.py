"""Upload limits of VoiceHub, in bytes unless noted, each with its reason.

Limits for the contents of archives are in audio.archives.limits, those of providers in providers.*.capabilities.
"""

# A whole request. A talent sends one take. Staff without JavaScript send a form with many recordings.
GUEST_REQUEST_BYTES = 64 << 20
STAFF_REQUEST_BYTES = 1 << 30
# The form fields without the files. They are held in memory.
FORM_FIELDS_BYTES = 1 << 20

# A statement takes well under a minute; this is nine minutes of 48 kHz mono in 16 bits.
TAKE_BYTES = 50 << 20
# Unusable takes are stored too, and a person with a link must not be able to fill the disk.
TAKES_PER_CONSENT = 30
# A scanned contract of many pages takes a few megabytes.
CONTRACT_BYTES = 25 << 20
# A video of some minutes in which a talent agrees, as mailed to a provider. A mail rarely takes more than 25 MB.
PROOF_BYTES = 200 << 20
# An hour of 48 kHz stereo in 24 bits: a raw recording is cut into clips, or sent whole. A request has room for it.
RECORDING_BYTES = 1000 << 20
# Their content is limited to 2 GB unpacked (audio.archives.limits), so a larger archive cannot be read.
ARCHIVE_BYTES = 2 << 30
# One import: twelve hours of 48 kHz stereo in 24 bits take 12 GB, and the largest public datasets have 13,000 files.
IMPORT_BYTES = 20 << 30
IMPORT_FILES = 20_000
# Stored parts of an upload that are shorter are joined with the next one, or a client that sends single bytes would
# make a million files. A cut connection leaves such a part; the page itself sends 8 MB.
IMPORT_PART_BYTES = 1 << 20
# Imports that are neither added nor discarded. The page of a voice lists ten; a person rarely prepares two at once.
OPEN_IMPORTS_PER_VOICE = 10
OPEN_IMPORTS_PER_PERSON = 20
# The WAVs converted from one archive's files. An hour of silence compresses to a few kilobytes.
ARCHIVE_WAV_BYTES = 2 << 30
# The WAVs converted from all files of one import: thirty hours of 48 kHz mono in 16 bits take 10 GB.
IMPORT_WAV_BYTES = 10 << 30
# A table of transcripts. An exported one of 20,000 recordings has their findings and measures, perhaps as UTF-16.
TRANSCRIPT_TABLE_BYTES = 30 << 20

# A callback is a short JSON text. Its URL is public, so VoiceHub reads no more than this.
CALLBACK_BYTES = 64 << 10
# More than any provider sends for one build. Further callbacks are answered and dropped.
CALLBACKS_PER_BUILD = 50
