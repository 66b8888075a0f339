"""The journal of a submit, which an adapter writes and a service stores."""

from typing import Protocol


class Journal(Protocol):
    """Where an adapter records each call beforehand, and then its result. Each method commits before it returns.

    Every method raises voicehub.outbox.LeaseLost if the worker no longer has the lease. The adapter then stops at once.
    """

    def before_call(self, step: str, version: str = "") -> None:
        """Record a call that must not be repeated blindly. `version` is the version of the voice before the call."""

    def record_voice(self, remote_id: str, resume_state: str = "") -> None:
        """Record the id of the remote voice and clear the pending call, with what `save_resume_state` saves, if any.

        The id is recorded even if the build has been stopped.
        """

    def record_recording(self, key: str, remote_id: str) -> None:
        """Record the provider's id of a clip."""

    def record_file(self, key: str, remote_id: str) -> None:
        """Record the provider's id of an announced file, before its bytes are sent, so that it can be deleted.

        `key` is the key of the clip, or CONSENT_KEY. The id is recorded even if the build has been stopped.
        """

    def save_resume_state(self, text: str) -> None:
        """Save what is needed to resume, such as an upload address. Encrypted; each save replaces the last."""

    def record_progress(self, activity: str, done: int, total: int) -> None:
        """Record the progress. Also checks that the build is still allowed and extends the lease: call it often."""
