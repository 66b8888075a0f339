"""What pages show about long work: what is done, how much of it, and when it is expected to end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from providers import registry
from voicehub.text import format_clock
from voicehub.tokens import hash_token
from voices.models import AccountMode, Build, BuildStatus, RemoteVoice, WorkKind
from voices.services.estimates import (
    Estimate,
    PastWork,
    compute_share,
    describe_end,
    estimate_counted,
    estimate_uncounted,
    format_rough,
)
from voices.services.work_samples import (
    PastByKey,
    WorkKey,
    load_past_work,
    make_sending_key,
    make_training_key,
)

COUNTED_ACTIVITY = "Sending recordings"
STATUS_TEXTS = {
    BuildStatus.QUEUED: "Queued; will be sent within seconds.",
    BuildStatus.SUBMITTING: "Sending",
    BuildStatus.UNCONFIRMED: "The provider's response was lost. Checking whether the build arrived.",
    BuildStatus.TRAINING: "The provider is training the voice.",
}
# The first word of the tab's title.
STATUS_ACTIVITIES = {
    BuildStatus.QUEUED: "Queued",
    BuildStatus.SUBMITTING: "Sending",
    BuildStatus.UNCONFIRMED: "Checking",
    BuildStatus.TRAINING: "Training",
}
RESULT_TITLES = {
    BuildStatus.READY: "✓ Ready",
    BuildStatus.DATASET_ISSUE: "! Needs work",
    BuildStatus.CONSENT_REJECTED: "! Consent rejected",
    BuildStatus.FAILED: "! Failed",
    BuildStatus.CANCELED: "Canceled",
    BuildStatus.WITHDRAWN: "! Stopped",
}
NO_EARLIER_BUILD = "There is no earlier build of this kind to estimate from."
PERCENT_STEP = 5


@dataclass(frozen=True, slots=True)
class WorkProgress:
    """Work under way. `key` names it in the page, `activity` and `subject` name it in the tab's title.

    `value` of `most` is the bar; without `value`, the bar shows no share. `is_stopped`: it waits, and shows no bar.
    `basis` says what the expected end is learnt from.
    """

    key: str
    activity: str
    subject: str
    text: str
    end: str = ""
    basis: str = ""
    value: int | None = None
    most: int = 100
    is_counted: bool = False
    is_stopped: bool = False

    @property
    def sentence(self) -> str:
        """“Sending 46 of 75 recordings, about 20 s left”. A text that is a whole sentence gets the end after it."""
        if not self.end:
            return self.text
        if self.text.endswith("."):
            return f"{self.text} {self.end[0].upper()}{self.end[1:]}."
        return f"{self.text}, {self.end}"

    @property
    def percent(self) -> int | None:
        return None if self.value is None or not self.most else round(100 * self.value / self.most)

    @property
    def title(self) -> str:
        """“(46/75) Sending – Nora”, “(40 %) Training – Nora”."""
        amount = ""
        if self.value is not None and not self.is_stopped:
            amount = f"({self.value}/{self.most}) " if self.is_counted else f"({self.percent} %) "
        activity = "Waiting" if self.is_stopped else self.activity
        return f"{amount}{activity} – {self.subject}"

    @property
    def change_token(self) -> str:
        return hash_token(repr(self))


def make_counted_progress(
    key: str,
    activity: str,
    subject: str,
    text: str,
    *,
    end: str = "",
    done: int | None = None,
    total: int = 100,
    is_stopped: bool = False,
) -> WorkProgress:
    """Work whose steps are counted, if `done` is given: “(46/75) Checking – Nora”."""
    is_counted = done is not None
    return WorkProgress(
        key, activity, subject, text, end, value=done, most=total, is_counted=is_counted, is_stopped=is_stopped
    )


@dataclass(frozen=True, slots=True)
class WorkResult:
    """The end of work that a page may still show as under way, for the tab's title."""

    key: str
    title: str


def load_build_progress(build: Build) -> WorkProgress | None:
    """The progress of a build. None if it has ended."""
    return make_build_progress(build, load_past_work(list_work_keys([build]))) if build.is_active else None


def list_work_keys(builds: Iterable[Build]) -> Iterable[WorkKey]:
    for build in builds:
        yield WorkKind.SENDING, make_sending_key(build)
        yield WorkKind.TRAINING, make_training_key(build.remote_voice)


def make_build_result(build: Build) -> WorkResult:
    title = RESULT_TITLES.get(BuildStatus(build.status), build.get_status_display())
    return WorkResult(f"build-{build.pk}", f"{title} – {build.voice.name}")


def make_build_progress(build: Build, past: PastByKey) -> WorkProgress:
    """What an active build does now."""
    status, account = BuildStatus(build.status), build.remote_voice.account
    if account.paused_at:
        return _make_progress(build, f"Waiting: the account {account.name} is paused.", is_stopped=True)
    if build.has_unknown_provider_status:
        text = "Unknown status. Check the provider's website, then answer here."
        return _make_progress(build, text, is_stopped=True)
    if needs_staff_answer(build):
        text = "The provider's response was lost. Check the provider's website, then answer here."
        return _make_progress(build, text, is_stopped=True)
    if status == BuildStatus.SUBMITTING:
        return _make_sending_progress(build, past.get((WorkKind.SENDING, make_sending_key(build))))
    if status == BuildStatus.TRAINING:
        return _make_training_progress(build, past.get((WorkKind.TRAINING, make_training_key(build.remote_voice))))
    if status == BuildStatus.QUEUED and build.progress_message:
        tried = f" Last tried at {format_clock(build.submitted_at)}." if build.submitted_at else ""
        return _make_progress(build, f"{build.progress_message}{tried}", is_stopped=True)
    return _make_progress(build, STATUS_TEXTS.get(status, ""))


def needs_staff_answer(build: Build) -> bool:
    """Whether a response was lost and VoiceHub cannot look up the result, so that staff must check the provider."""
    if build.status != BuildStatus.UNCONFIRMED:
        return False
    capabilities = build.remote_voice.find_capabilities()
    return build.lookup_attempts > 0 or capabilities is None or not capabilities.can_find


def _make_progress(
    build: Build,
    text: str,
    *,
    end: str = "",
    basis: str = "",
    value: int | None = None,
    most: int = 100,
    is_counted: bool = False,
    is_stopped: bool = False,
) -> WorkProgress:
    activity = STATUS_ACTIVITIES.get(BuildStatus(build.status), build.get_status_display())
    key = f"build-{build.pk}"
    return WorkProgress(key, activity, build.voice.name, text, end, basis, value, most, is_counted, is_stopped)


def _make_sending_progress(build: Build, past: PastWork | None) -> WorkProgress:
    done, total = build.progress_done, build.progress_total
    elapsed = _measure_elapsed(build.submitted_at)
    if total and build.progress_message.startswith(COUNTED_ACTIVITY):
        text = f"Sending {done} of {total} recordings"
        end = describe_end(estimate_counted(past, done, total, elapsed))
        return _make_progress(build, text, end=end, value=min(done, total), most=total, is_counted=True)
    end = describe_end(estimate_uncounted(past, elapsed)) if past and past.per_unit is None else ""
    text = build.progress_message or STATUS_TEXTS[BuildStatus.SUBMITTING]
    value = min(100, round(100 * done / total)) if total else None
    return _make_progress(build, text, end=end, value=value)


def _make_training_progress(build: Build, past: PastWork | None) -> WorkProgress:
    elapsed = _measure_elapsed(build.training_at)
    text, basis = STATUS_TEXTS[BuildStatus.TRAINING], _describe_basis(past)
    if build.expected_at and build.training_at:
        # The page shows beside it when the provider expects the end.
        expected = max(1.0, (build.expected_at - build.training_at).total_seconds())
        past, basis = PastWork(0, expected, expected), ""
    elif past is None and (stated := _find_stated_time(build.remote_voice)):
        past, basis = stated
    estimate = estimate_uncounted(past, elapsed)
    return _make_progress(build, text, end=describe_end(estimate), basis=basis, value=_compute_value(estimate, elapsed))


def _describe_basis(past: PastWork | None) -> str:
    if past is None:
        return NO_EARLIER_BUILD
    if past.count == 1:
        return f"The only earlier build of this kind took {format_rough(past.usual)}."
    return f"The median of {past.count} earlier builds of this kind is {format_rough(past.usual)}."


def _find_stated_time(remote: RemoteVoice) -> tuple[PastWork | None, str] | None:
    """What the vendor says about the time of a training. It says nothing about the sandbox."""
    capabilities = remote.find_capabilities()
    if capabilities is None or capabilities.expected_training is None or remote.account.mode != AccountMode.LIVE:
        return None
    stated = capabilities.expected_training
    basis = f"{registry.get_provider_label(remote.account.provider)} states: {stated.words}. {NO_EARLIER_BUILD}"
    return (PastWork(0, stated.seconds, stated.seconds) if stated.seconds else None), basis


def _compute_value(estimate: Estimate, elapsed: float) -> int | None:
    """The bar of a training in steps of 5, because its end is only estimated."""
    share = compute_share(estimate, elapsed)
    return None if share is None else int(100 * share) // PERCENT_STEP * PERCENT_STEP


def _measure_elapsed(since: datetime | None) -> float:
    return (timezone.now() - since).total_seconds() if since else 0.0
