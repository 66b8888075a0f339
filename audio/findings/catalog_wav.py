"""What the strict reader says of a WAV file: why it is refused."""

from audio.findings.templates import SEND_AGAIN, make_error

NOT_THERE = {
    "unreadable": make_error(
        "The file cannot be opened: {reason}.", "Check that it is there, and that you may read it."
    ),
}

NOT_A_WAV = {
    "empty_file": make_error("The file is empty.", SEND_AGAIN),
    "not_wav": make_error("This is not a WAV file."),
    "is_rf64": make_error("This is an RF64 file, the WAV variant for files over 4 GB."),
    "is_rifx": make_error("This WAV file has its bytes in big-endian order."),
    "is_wave64": make_error("This is a Wave64 file, not a WAV file."),
    "is_flac": make_error("This is a FLAC file, not a WAV file."),
    "is_aiff": make_error("This is an AIFF file, not a WAV file."),
    "is_caf": make_error("This is a CAF file, not a WAV file."),
    "is_ogg": make_error("This is an Ogg file, not a WAV file."),
    "is_mp3": make_error("This is an MP3 file, not a WAV file.", "Export it from the original, not from the MP3."),
    "is_mp4": make_error("This is an M4A or MP4 file, not a WAV file."),
    "is_webm": make_error("This is a WebM file, not a WAV file."),
    "is_zip": make_error("This is a ZIP archive, not a WAV file.", "Unpack it, and send the WAV files in it."),
    "not_wave_form": make_error("This file has the outer frame of a WAV file, but holds something else."),
}

DAMAGED = {
    "cut_in_header": make_error("The file ends before its sound begins.", SEND_AGAIN),
    "length_unwritten": make_error(
        "The program that recorded this file never wrote its length into it.",
        "Open it in an audio editor and save it again.",
    ),
    "truncated": make_error("The file is cut off: {missing:,} bytes are missing at its end.", SEND_AGAIN),
    "bytes_after_end": make_error("There are {extra:,} bytes after the end of the sound file."),
    "chunk_cut": make_error("The file ends inside one of its parts.", SEND_AGAIN),
    "chunk_overruns": make_error("A part of the file says that it is longer than the file."),
    "chunk_unnamed": make_error("A part of the file has no readable name."),
    "padding_missing": make_error("A part of odd length lacks the filling byte that the format asks for."),
    "too_many_chunks": make_error("The file has more than {limit} parts."),
    "side_data_too_big": make_error(
        "The file carries more than {limit:,} bytes that are not sound.",
        "Export it again without pictures and other attachments.",
    ),
    "no_format": make_error("The file does not say what kind of sound it holds."),
    "two_formats": make_error("The file describes its sound twice."),
    "format_too_late": make_error("The description of the sound comes after the sound."),
    "format_length": make_error("The description of the sound has an unusual length."),
    "no_data": make_error("The file holds no sound."),
    "two_data": make_error("The file holds two separate pieces of sound."),
    "data_overruns": make_error("The file says that it holds more sound than there is in it.", SEND_AGAIN),
    "data_empty": make_error("The file has a length of zero seconds.", "Record it again."),
    "data_half_sample": make_error("The sound ends in the middle of a sample.", SEND_AGAIN),
    "decoder_disagrees": make_error("Two readers do not agree on what is in this file."),
    "changed_while_read": make_error("The file became shorter while it was read.", SEND_AGAIN),
}

WRONG_FORMAT = {
    "format_extensible": make_error("The file uses the extensible WAV format."),
    "not_pcm": make_error("The sound is stored as {encoding}, not as plain PCM."),
    "no_channels": make_error("The file says that it has no channels."),
    "not_mono": make_error("The file has {channels:,} channels.", "Export it as mono."),
    "not_16_bit": make_error("The file has {bits} bits per sample.", "Export it with 16 bits per sample."),
    "rate_zero": make_error("The file says that it has zero samples per second."),
    "rate_not_allowed": make_error(
        "The file has {rate:,} samples per second.", "Export it with 44,100 or 48,000 samples per second."
    ),
    "block_align_wrong": make_error("The file contradicts itself about the size of a sample."),
    "byte_rate_wrong": make_error("The file contradicts itself about its speed."),
}

DURATION = {
    "too_short": make_error(
        "It lasts {seconds:.1f} seconds; at least {limit:g} are needed.", "Record a longer passage."
    ),
    "too_long": make_error("It lasts {seconds:.1f} seconds; at most {limit:g} are allowed.", "Cut it in a pause."),
}

CODES = NOT_THERE | NOT_A_WAV | DAMAGED | WRONG_FORMAT | DURATION
