"""Findings about converting a sound file to WAV."""

from audio.findings.templates import EXPORT, SEND_AGAIN, make_error, make_fix, make_warning

CONVERSION_FINDINGS = {
    "converted": make_fix(
        "The file was {came} and was converted to a 16-bit mono WAV.", "Nothing: the original is kept as it came."
    ),
    "more_than_sound": make_fix(
        "It had more in it than sound, or a header that programs read differently; the WAV has the sound alone.",
        "Listen to its end: nothing may be missing there.",
    ),
    "peaks_lowered": make_fix(
        "It went {decibels:.1f} dB above full scale, so all of it was lowered by as much.",
        "Record with less gain next time.",
    ),
    "channel_silent": make_fix("Channel {channels} is silent and was left out.", "Record in mono next time."),
    "channels_differ": make_warning(
        "Its channels hold different sound; number {channel}, the loudest, was taken alone.",
        "Listen to it; if it is the wrong one, send the right channel as a mono file.",
        threshold="channels_alike_share",
    ),
    "end_missing": make_warning(
        "Its end is missing, or the program that recorded it was stopped.",
        "Listen to its end; send it again if something is missing.",
    ),
    "lossy_source": make_warning(
        "It came as {encoding}, which leaves out part of the sound.",
        "Send the original recording, if there is one as WAV or FLAC.",
    ),
}

CONVERSION_ERRORS = {
    "decoder_missing": make_error(
        "This is {kind}, and the part that reads it is not installed here.",
        "Export it as WAV, or ask the administrator to run: make extras.",
    ),
    "not_sound": make_error("This file cannot be read as sound."),
    "rest_damaged": make_error("It begins like a sound file, but the rest of it is damaged or missing.", SEND_AGAIN),
    "no_sound": make_error("There is no sound in this file.", "Check that it is the right file."),
    "sound_damaged": make_error("The sound is damaged, and cannot be read beyond this place.", SEND_AGAIN),
    "sound_missing": make_error(
        "It should last {declared:,.1f} seconds, but only {found:,.1f} are in the file.", SEND_AGAIN
    ),
    "format_changes": make_error("Its sampling rate or number of channels changes in the middle."),
    "too_many_channels": make_error("It has {channels:,} channels; at most {limit} are taken.", "Export it as mono."),
    "rate_unusable": make_error("It says that it has {rate:,} samples per second, which is no speech.", EXPORT),
    "not_numbers": make_error("Some of its samples are not numbers or are far above full scale."),
    "too_long_to_convert": make_error("It lasts longer than {hours:g} hours.", "Cut it into several files."),
}

DATASET_ERRORS = {
    "nothing_chosen": make_error(
        "None of these recordings can be used within the limits.", "Record others, or widen the limits."
    ),
    "joined_too_long": make_error(
        "Together they last {seconds:.1f} seconds; at most {limit:g} are allowed.",
        "Take fewer recordings, or let the best be chosen.",
    ),
    "joined_too_big": make_error(
        "Together they take {size:,} bytes; at most {limit:,} are allowed.",
        "Take fewer recordings, a lower rate, or let the best be chosen.",
    ),
    "nothing_to_cut": make_error(
        "It contains no speech, so there is nothing to split.", "Check that it is the right file."
    ),
    "shorter_than_a_clip": make_error(
        "It lasts {seconds:.1f} seconds, less than the shortest clip of {limit:g}.", "Record a longer passage."
    ),
    "dataset_too_big": make_error(
        "The dataset would take {size:,} bytes; an archive holds less than {limit:,}.", "Leave recordings out."
    ),
}

CODES = CONVERSION_FINDINGS | CONVERSION_ERRORS | DATASET_ERRORS
