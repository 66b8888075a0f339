"""What a check can say about an audio file: one table of codes, with the words that people read."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """REFUSED: the file cannot be used. PUT_RIGHT: we made a corrected copy. LOOK: a person should decide."""

    REFUSED = "refused"
    PUT_RIGHT = "put_right"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check says; `at` is the place in seconds from the start, where there is one."""

    severity: Severity
    code: str
    text: str
    advice: str
    at: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"severity": self.severity.value}


@dataclass(frozen=True, slots=True)
class Template:
    """The words of one code; text and advice may hold {names} that `finding` fills in."""

    severity: Severity
    text: str
    advice: str


EXPORT = "Export it again as WAV, 16-bit PCM, mono."
SEND_AGAIN = "Send it again; if that does not help, export it again."


def _refused(text: str, advice: str = EXPORT) -> Template:
    return Template(Severity.REFUSED, text, advice)


def _look(text: str, advice: str) -> Template:
    return Template(Severity.LOOK, text, advice)


NOT_THERE = {
    "unreadable": _refused("The file cannot be opened: {reason}.", "Check that it is there, and that you may read it."),
}

NOT_A_WAV = {
    "empty_file": _refused("The file is empty.", SEND_AGAIN),
    "not_wav": _refused("This is not a WAV file."),
    "is_rf64": _refused("This is an RF64 file, the WAV variant for files over 4 GB."),
    "is_rifx": _refused("This WAV file has its bytes in big-endian order."),
    "is_wave64": _refused("This is a Wave64 file, not a WAV file."),
    "is_flac": _refused("This is a FLAC file, not a WAV file."),
    "is_aiff": _refused("This is an AIFF file, not a WAV file."),
    "is_caf": _refused("This is a CAF file, not a WAV file."),
    "is_ogg": _refused("This is an Ogg file, not a WAV file."),
    "is_mp3": _refused("This is an MP3 file, not a WAV file.", "Export it from the original, not from the MP3."),
    "is_mp4": _refused("This is an M4A or MP4 file, not a WAV file."),
    "is_webm": _refused("This is a WebM file, not a WAV file."),
    "is_zip": _refused("This is a ZIP archive, not a WAV file.", "Unpack it, and send the WAV files in it."),
    "not_wave_form": _refused("This file has the outer frame of a WAV file, but holds something else."),
}

DAMAGED = {
    "cut_in_header": _refused("The file ends before its sound begins.", SEND_AGAIN),
    "length_unwritten": _refused(
        "The program that recorded this file never wrote its length into it.",
        "Open it in an audio editor and save it again.",
    ),
    "truncated": _refused("The file is cut off: {missing:,} bytes are missing at its end.", SEND_AGAIN),
    "bytes_after_end": _refused("There are {extra:,} bytes after the end of the sound file."),
    "chunk_cut": _refused("The file ends inside one of its parts.", SEND_AGAIN),
    "chunk_overruns": _refused("A part of the file says that it is longer than the file."),
    "chunk_unnamed": _refused("A part of the file has no readable name."),
    "padding_missing": _refused("A part of odd length lacks the filling byte that the format asks for."),
    "too_many_chunks": _refused("The file has more than {limit} parts."),
    "side_data_too_big": _refused(
        "The file carries more than {limit:,} bytes that are not sound.",
        "Export it again without pictures and other attachments.",
    ),
    "no_format": _refused("The file does not say what kind of sound it holds."),
    "two_formats": _refused("The file describes its sound twice."),
    "format_too_late": _refused("The description of the sound comes after the sound."),
    "format_length": _refused("The description of the sound has an unusual length."),
    "no_data": _refused("The file holds no sound."),
    "two_data": _refused("The file holds two separate pieces of sound."),
    "data_overruns": _refused("The file says that it holds more sound than there is in it.", SEND_AGAIN),
    "data_empty": _refused("The file has a length of zero seconds.", "Record it again."),
    "data_half_sample": _refused("The sound ends in the middle of a sample.", SEND_AGAIN),
    "decoder_disagrees": _refused("Two readers do not agree on what is in this file."),
    "changed_while_read": _refused("The file became shorter while it was read.", SEND_AGAIN),
}

WRONG_FORMAT = {
    "format_extensible": _refused("The file uses the extensible WAV format."),
    "not_pcm": _refused("The sound is stored as {encoding}, not as plain PCM."),
    "no_channels": _refused("The file says that it has no channels."),
    "not_mono": _refused("The file has {channels:,} channels.", "Export it as mono."),
    "not_16_bit": _refused("The file has {bits} bits per sample.", "Export it with 16 bits per sample."),
    "rate_zero": _refused("The file says that it has zero samples per second."),
    "rate_not_allowed": _refused(
        "The file has {rate:,} samples per second.", "Export it with 44,100 or 48,000 samples per second."
    ),
    "block_align_wrong": _refused("The file contradicts itself about the size of a sample."),
    "byte_rate_wrong": _refused("The file contradicts itself about its speed."),
}

DURATION = {
    "too_short": _refused("It lasts {seconds:.1f} seconds; at least {limit:g} are needed.", "Record a longer passage."),
    "too_long": _refused("It lasts {seconds:.1f} seconds; at most {limit:g} are allowed.", "Cut it in a pause."),
}

SOUND = {
    "silent": _look("There is no speech in it: it is silent.", "Check the microphone, then record it again."),
    "no_speech": _look("There is only a steady sound in it, no speech.", "Listen to it; record it again if so."),
    "little_speech": _look("Only {seconds:.1f} seconds of it are speech.", "Cut the pauses, or record it again."),
    "too_quiet": _look(
        "It is quiet: {level:.0f} dBFS on average.", "Record closer to the microphone, or with more gain."
    ),
    "too_loud": _look("It is very loud: {level:.0f} dBFS on average.", "Record with less gain."),
    "peak_high": _look("Its loudest point is only {room:.1f} dB below the limit.", "Leave 3 dB of room next time."),
    "clipping": _look("The sound is cut off at the top ({share:.2%} of it).", "Record it again with less gain."),
    "clipping_slight": _look(
        "A few loud points are cut off at the top.", "Listen there; record it again if it crackles."
    ),
    "noisy": _look("Strong background noise: speech is {snr:.0f} dB above it.", "Record it again in a quiet room."),
    "noise_heard": _look("Some background noise: speech is {snr:.0f} dB above it.", "Listen to the pauses."),
    "dc_offset": _look("The sound is not centred on zero ({share:.1%}).", "Check the sound card, or apply a low cut."),
    "silence_at_start": _look("It begins with {seconds:.1f} seconds of silence.", "Cut it to about 0.2 seconds."),
    "silence_at_end": _look("It ends with {seconds:.1f} seconds of silence.", "Cut it to about 0.2 seconds."),
    "telephone_band": _look(
        "It has only {rate:,} samples per second, as on a telephone.", "Record at 44,100 or 48,000."
    ),
}

TEMPLATES: dict[str, Template] = NOT_THERE | NOT_A_WAV | DAMAGED | WRONG_FORMAT | DURATION | SOUND


def finding(code: str, at: float | None = None, **values: object) -> Finding:
    """The finding with this code, its {names} filled from `values`; KeyError if one is missing."""
    template = TEMPLATES[code]
    text, advice = template.text.format(**values), template.advice.format(**values)
    return Finding(template.severity, code, text, advice, at if at is None else round(at, 2))
