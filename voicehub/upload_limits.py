"""How much may be sent to VoiceHub, in bytes unless it says otherwise, each with its reason.

What an archive may hold is a matter of its readers (audio.archives.limits); what a provider takes, of its tiers
(providers.*.capabilities).
"""

# A whole request. A guest sends one take; staff without scripts send a form full of recordings.
GUEST_REQUEST_BYTES = 64 << 20
STAFF_REQUEST_BYTES = 1 << 30
# The fields of a form without its files, which are held in memory.
FORM_FIELDS_BYTES = 1 << 20

# A statement takes well under a minute; this is nine minutes of 48 kHz mono in 16 bits.
TAKE_BYTES = 50 << 20
# Takes that cannot be used are kept as well: whoever holds a link must not be able to fill the disk with them.
TAKES_PER_CONSENT = 30
# A scanned contract of many pages has a few megabytes.
CONTRACT_BYTES = 25 << 20
# More than half an hour of 48 kHz mono in 16 bits; a recording for a build is a clip of at most a minute.
RECORDING_BYTES = 200 << 20
# WAVs that are made of one archive's files: an hour of silence packs into some kilobytes.
ARCHIVE_WAV_BYTES = 2 << 30
# A table of transcripts: 5,000 lines of 400 characters.
TRANSCRIPT_TABLE_BYTES = 2 << 20

# A callback is a short JSON text. Its address is public, so the body is read up to this and no further.
CALLBACK_BYTES = 64 << 10
# More than any provider sends for one build; further ones are answered and dropped.
CALLBACKS_PER_BUILD = 50
