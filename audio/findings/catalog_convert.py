"""Findings about converting a sound file to WAV."""

from audio.findings.templates import EXPORT, SEND_AGAIN, make_error, make_fix, make_warning

CONVERSION_FINDINGS = {
    "converted": make_fix(
        "The file was {original_format} and was converted to a 16-bit mono WAV.",
        "You need not do anything: the original is kept unchanged.",
    ),
    "more_than_sound": make_fix(
        "The file had data besides sound, or a header that programs read differently; the WAV has only the sound.",
        "Listen to its end and check that nothing is missing.",
    ),
    "read_to_end": make_fix(
        "The program that made this file did not write its length, so it was read to its end.",
        "Listen to its end and check that nothing is missing.",
    ),
    "half_sample_removed": make_fix(
        "The file ends in the middle of a sample; this sample was left out.",
        "Listen to its end and check that nothing is missing.",
    ),
    "peaks_lowered": make_fix(
        "Its peaks exceeded full scale by {decibels:.1f} dB, so the whole recording was lowered by as much.",
        "Record with less gain next time.",
    ),
    "channel_silent": make_fix("Channel {channels} is silent and was removed.", "Record in mono next time."),
    "channels_differ": make_warning(
        "Its channels differ; only channel {channel}, the loudest, was used.",
        "Listen to it; if it is the wrong channel, send the right one as a mono file.",
        threshold="channels_alike_share",
    ),
    "end_missing": make_warning(
        "Its end is missing, or the program that recorded it was stopped.",
        "Listen to its end; send it again if something is missing.",
    ),
    "lossy_source": make_warning(
        "It was encoded as {encoding}, which loses part of the sound.",
        "Send the original recording if you have it as WAV or FLAC.",
    ),
}

CONVERSION_ERRORS = {
    "decoder_missing": make_error(
        "This is {kind}, and its decoder is not installed.",
        "Export it as WAV, or ask the administrator to run: make extras.",
    ),
    "not_sound": make_error("This file cannot be read as sound."),
    "rest_damaged": make_error("The file starts like a sound file, but the rest is damaged or missing.", SEND_AGAIN),
    "no_sound": make_error("There is no sound in this file.", "Check that it is the right file."),
    "sound_damaged": make_error("The sound is damaged and cannot be read beyond this point.", SEND_AGAIN),
    "sound_missing": make_error(
        "It should last {declared:,.1f} seconds, but only {found:,.1f} are in the file.", SEND_AGAIN
    ),
    "format_changes": make_error("Its sampling rate or number of channels changes in the middle."),
    "too_many_channels": make_error(
        "It has {channels:,} channels; at most {limit} are accepted.", "Export it as mono."
    ),
    "rate_unusable": make_error("It claims a sampling rate of {rate:,} Hz, which is unusable for speech.", EXPORT),
    "not_numbers": make_error("Some of its samples are not numbers or are far above full scale."),
    "too_long_to_convert": make_error("It lasts longer than {limit}.", "Split it into several files."),
}

DATASET_ERRORS = {
    "nothing_chosen": make_error(
        "None of these recordings can be used within the limits.", "Make other recordings, or widen the limits."
    ),
    "joined_too_long": make_error(
        "Together they last {seconds:.1f} seconds; at most {limit:g} are allowed.",
        "Use fewer recordings, or let VoiceHub choose the best.",
    ),
    "joined_too_big": make_error(
        "Together they take {size:,} bytes; at most {limit:,} are allowed.",
        "Use fewer recordings or a lower rate, or let VoiceHub choose the best.",
    ),
    "nothing_to_cut": make_error(
        "It contains no speech, so there is nothing to split.", "Check that it is the right file."
    ),
    "shorter_than_a_clip": make_error(
        "It lasts {seconds:.1f} seconds, less than the shortest clip of {limit:g}.", "Record a longer passage."
    ),
    "dataset_too_big": make_error(
        "The dataset would take {size:,} bytes; an archive holds less than {limit:,}.", "Remove recordings."
    ),
}

CODES = CONVERSION_FINDINGS | CONVERSION_ERRORS | DATASET_ERRORS
