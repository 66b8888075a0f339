"""What the strict reader says of a WAV file: why it is refused."""

from audio.findings.templates import SEND_AGAIN, refused

NOT_THERE = {
    "unreadable": refused("The file cannot be opened: {reason}.", "Check that it is there, and that you may read it."),
}

NOT_A_WAV = {
    "empty_file": refused("The file is empty.", SEND_AGAIN),
    "not_wav": refused("This is not a WAV file."),
    "is_rf64": refused("This is an RF64 file, the WAV variant for files over 4 GB."),
    "is_rifx": refused("This WAV file has its bytes in big-endian order."),
    "is_wave64": refused("This is a Wave64 file, not a WAV file."),
    "is_flac": refused("This is a FLAC file, not a WAV file."),
    "is_aiff": refused("This is an AIFF file, not a WAV file."),
    "is_caf": refused("This is a CAF file, not a WAV file."),
    "is_ogg": refused("This is an Ogg file, not a WAV file."),
    "is_mp3": refused("This is an MP3 file, not a WAV file.", "Export it from the original, not from the MP3."),
    "is_mp4": refused("This is an M4A or MP4 file, not a WAV file."),
    "is_webm": refused("This is a WebM file, not a WAV file."),
    "is_zip": refused("This is a ZIP archive, not a WAV file.", "Unpack it, and send the WAV files in it."),
    "not_wave_form": refused("This file has the outer frame of a WAV file, but holds something else."),
}

DAMAGED = {
    "cut_in_header": refused("The file ends before its sound begins.", SEND_AGAIN),
    "length_unwritten": refused(
        "The program that recorded this file never wrote its length into it.",
        "Open it in an audio editor and save it again.",
    ),
    "truncated": refused("The file is cut off: {missing:,} bytes are missing at its end.", SEND_AGAIN),
    "bytes_after_end": refused("There are {extra:,} bytes after the end of the sound file."),
    "chunk_cut": refused("The file ends inside one of its parts.", SEND_AGAIN),
    "chunk_overruns": refused("A part of the file says that it is longer than the file."),
    "chunk_unnamed": refused("A part of the file has no readable name."),
    "padding_missing": refused("A part of odd length lacks the filling byte that the format asks for."),
    "too_many_chunks": refused("The file has more than {limit} parts."),
    "side_data_too_big": refused(
        "The file carries more than {limit:,} bytes that are not sound.",
        "Export it again without pictures and other attachments.",
    ),
    "no_format": refused("The file does not say what kind of sound it holds."),
    "two_formats": refused("The file describes its sound twice."),
    "format_too_late": refused("The description of the sound comes after the sound."),
    "format_length": refused("The description of the sound has an unusual length."),
    "no_data": refused("The file holds no sound."),
    "two_data": refused("The file holds two separate pieces of sound."),
    "data_overruns": refused("The file says that it holds more sound than there is in it.", SEND_AGAIN),
    "data_empty": refused("The file has a length of zero seconds.", "Record it again."),
    "data_half_sample": refused("The sound ends in the middle of a sample.", SEND_AGAIN),
    "decoder_disagrees": refused("Two readers do not agree on what is in this file."),
    "changed_while_read": refused("The file became shorter while it was read.", SEND_AGAIN),
}

WRONG_FORMAT = {
    "format_extensible": refused("The file uses the extensible WAV format."),
    "not_pcm": refused("The sound is stored as {encoding}, not as plain PCM."),
    "no_channels": refused("The file says that it has no channels."),
    "not_mono": refused("The file has {channels:,} channels.", "Export it as mono."),
    "not_16_bit": refused("The file has {bits} bits per sample.", "Export it with 16 bits per sample."),
    "rate_zero": refused("The file says that it has zero samples per second."),
    "rate_not_allowed": refused(
        "The file has {rate:,} samples per second.", "Export it with 44,100 or 48,000 samples per second."
    ),
    "block_align_wrong": refused("The file contradicts itself about the size of a sample."),
    "byte_rate_wrong": refused("The file contradicts itself about its speed."),
}

DURATION = {
    "too_short": refused("It lasts {seconds:.1f} seconds; at least {limit:g} are needed.", "Record a longer passage."),
    "too_long": refused("It lasts {seconds:.1f} seconds; at most {limit:g} are allowed.", "Cut it in a pause."),
}

CODES = NOT_THERE | NOT_A_WAV | DAMAGED | WRONG_FORMAT | DURATION
