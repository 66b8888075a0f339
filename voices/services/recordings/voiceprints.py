"""Voiceprints of files, for one task. They are biometric data: never stored, logged or sent."""

from django.db.models.fields.files import FieldFile

from audio.networks import speaker_match
from audio.networks.speaker_match import Voiceprint
from audio.wav.riff import WavRefused, load_samples, read_header
from voicehub.outbox import Lease
from voicehub.storage import open_file


class VoiceprintReader:
    """Makes the voiceprint of each file once. They live in memory until the task ends."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._prints: dict[str, Voiceprint | None] = {}

    def read(self, file: FieldFile) -> Voiceprint | None:
        """None if the file is missing or unreadable, or the voice is unclear. A storage error is raised."""
        name = str(file.name)
        if name not in self._prints:
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
