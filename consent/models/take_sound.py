"""By what a take is found again if it is sent for something else. Nothing here is biometric (see `audio.analysis`)."""

from django.db import models

from consent.models.take import Take


class TakeSound(models.Model):
    """The fingerprint of the sound of an acceptable take. It identifies the recording and not the person."""

    take = models.OneToOneField(Take, models.PROTECT, primary_key=True, related_name="sound_index")
    fingerprint = models.TextField(blank=True, help_text="Empty for a sound that is too short or too quiet for one.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Sound of {self.take}"


class TakeSoundKey(models.Model):
    """One of the values in the fingerprint of a take, and where it stands. Copies have many of them in common."""

    sound = models.ForeignKey(TakeSound, models.CASCADE, related_name="keys", db_index=False)
    value = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [models.Index(fields=["value", "position", "sound"], name="take_sound_by_value")]
        constraints = [models.UniqueConstraint(fields=["sound", "position"], name="take_sound_position_once")]

    def __str__(self) -> str:
        return f"{self.value} at {self.position}"
