"""Voiceprints of files, for one task. They are biometric data: never stored, logged or sent.

This is the only place that computes one from a take or a recording, and it asks before each whether the talent allows
the voice comparison.
"""

from uuid import UUID

from django.db.models.fields.files import FieldFile

from audio.networks import speaker_match
from audio.networks.speaker_match import Voiceprint
from audio.wav.riff import WavRefused, load_samples, read_header
from consent.services.voice_comparison import is_comparison_allowed
from voicehub.outbox import Lease
from voicehub.storage import open_file


class VoiceprintReader:
    """Makes the voiceprint of each file of one talent once. They live in memory until the task ends."""

    def __init__(self, talent_id: UUID, lease: Lease) -> None:
        self._talent_id = talent_id
        self._lease = lease
        self._prints: dict[str, Voiceprint | None] = {}

    def read(self, file: FieldFile) -> Voiceprint | None:
        """None if the talent does not allow the comparison, the file is missing or unreadable, or the voice is unclear.

        A storage error is raised.
        """
        name = str(file.name)
        if name not in self._prints:
            if not is_comparison_allowed(self._talent_id):
                return None
            self._lease.extend()
            self._prints[name] = _compute_voiceprint(file)
        return self._prints[name]


def _compute_voiceprint(file: FieldFile) -> Voiceprint | None:
    try:
        with open_file(file) as sound:
            header = read_header(sound)
            return speaker_match.compute_voiceprint(load_samples(sound, header), header.sample_rate)
    except (FileNotFoundError, WavRefused):
        return None
