"""Errors of files with the statement, in the words of the language of the page.

The texts of `audio` are in English. A talent who reads another language gets the sentence about the kind of the error.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from audio.findings import catalog_child, catalog_convert, catalog_wav
from voicehub.talent_languages import SOURCE_LANGUAGE, get_talent_language

# Findings that the recorder cannot cause or does not let the talent send (`block` in static/js/recorder/checks.js).
EMPTY_TAKE_CODES = frozenset({"empty_file", "data_empty", "no_sound", "silent", "too_short"})
LENGTH_CODES = frozenset({"too_long", "too_long_to_convert"})
# The advice in these catalogs is for people with an audio editor and an administrator, which a talent's phone lacks.
FILE_CODES = frozenset(
    {*catalog_wav.NOT_A_WAV, *catalog_wav.DAMAGED, *catalog_wav.WRONG_FORMAT}
    | {*catalog_convert.CONVERSION_ERRORS, *catalog_child.CODES}
).difference(EMPTY_TAKE_CODES, LENGTH_CODES)


def describe_error(finding: Mapping[str, Any]) -> str:
    """Text and advice of an error, as `Finding.as_dict` has it."""
    if get_talent_language() == SOURCE_LANGUAGE:
        return f"{finding['text']} {finding['advice']}"
    return describe_kind(str(finding["code"]))


def describe_kind(code: str) -> str:
    """What kind of error this is, in the active language."""
    if code == "silent":
        return gettext("The recording is silent. Check which microphone is chosen, and that it is not muted.")
    if code == "too_short":
        return gettext("The recording is too short. Read the whole text.")
    if code in EMPTY_TAKE_CODES:
        return gettext("There is no sound in this file. Check that it is the right file.")
    if code in LENGTH_CODES:
        return gettext("The recording is too long.")
    if code == "decoder_missing":
        return gettext("Files of this kind cannot be read here.")
    return gettext("The file cannot be read as sound, or it is damaged.")
