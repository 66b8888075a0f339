"""Findings of the strict WAV reader: why a file is rejected."""

from audio.findings.templates import SEND_AGAIN, make_error, make_warning

NOT_THERE = {
    "unreadable": make_error(
        "The file cannot be opened: {reason}.", "Check that it exists and that you have permission to read it."
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
    "not_wave_form": make_error("This file has a RIFF header but contains no WAV data."),
}

DAMAGED = {
    "cut_in_header": make_error("The file ends before its sound begins.", SEND_AGAIN),
    "length_unwritten": make_error(
        "The program that recorded this file never wrote its length into it.",
        "Open it in an audio editor and save it again.",
    ),
    "truncated": make_error("The file is cut off: {missing:,} bytes are missing at its end.", SEND_AGAIN),
    "outer_length_wrong": make_error("The length in its header is wrong, though the sound is complete."),
    "bytes_after_end": make_error("There are {extra:,} bytes after the end of the sound file."),
    "chunk_cut": make_error("The file ends inside one of its chunks.", SEND_AGAIN),
    "chunk_overruns": make_error("A chunk of the file claims to be longer than the file."),
    "chunk_unnamed": make_error("A chunk of the file has no readable name."),
    "padding_missing": make_error("A chunk of odd length lacks the padding byte that the format requires."),
    "too_many_chunks": make_error("The file has more than {limit} chunks."),
    "side_data_too_big": make_error(
        "The file contains more than {limit:,} bytes that are not sound.",
        "Export it again without pictures and other attachments.",
    ),
    "no_format": make_error("The file does not describe its sound format."),
    "two_formats": make_error("The file describes its sound format twice."),
    "format_too_late": make_error("The format description comes after the sound."),
    "format_length": make_error("The format description has an unusual length."),
    "no_data": make_error("The file contains no sound."),
    "two_data": make_error("The file contains two separate sound chunks."),
    "data_length_off": make_error("The length of its sound is off by {missing} bytes in the header."),
    "data_overruns": make_error("The file claims to contain more sound than it does.", SEND_AGAIN),
    "data_empty": make_error("The file has a length of zero seconds.", "Record it again."),
    "data_half_sample": make_error("The sound ends in the middle of a sample.", SEND_AGAIN),
    "decoder_disagrees": make_error("Two readers disagree about the content of this file."),
    "changed_while_read": make_error("The file became shorter while it was read.", SEND_AGAIN),
}

WRONG_FORMAT = {
    "format_extensible": make_error("The file uses the extensible WAV format."),
    "not_pcm": make_error("The sound is stored as {encoding}, not as plain PCM."),
    "no_channels": make_error("The file claims to have no channels."),
    "not_mono": make_error("The file has {channels:,} channels.", "Export it as mono."),
    "not_16_bit": make_error("The file has {bits} bits per sample.", "Export it with 16 bits per sample."),
    "rate_zero": make_error("The file claims a sampling rate of 0 Hz."),
    "rate_not_allowed": make_error("The sampling rate is {rate:,} Hz.", "Export it at 44,100 or 48,000 Hz."),
    "block_align_wrong": make_error("The header contains contradictory sample sizes."),
    "byte_rate_wrong": make_error("The header contains contradictory byte rates."),
}

DURATION = {
    "too_short": make_error(
        "It lasts {seconds:.1f} seconds; at least {limit:g} are needed.", "Record a longer passage."
    ),
    "too_long": make_error("It lasts {seconds:.1f} seconds; at most {limit:g} are allowed.", "Split it at a pause."),
    "long": make_warning(
        "It lasts {minutes} min {seconds} s. Some providers take at most {limit:g} seconds in one recording.",
        "Cut it into clips, or build where it is taken whole.",
    ),
}

CODES = NOT_THERE | NOT_A_WAV | DAMAGED | WRONG_FORMAT | DURATION
