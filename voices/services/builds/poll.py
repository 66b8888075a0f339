"""Polling the status of builds. A callback is only stored and triggers a poll (`refresh_build`)."""

import hashlib
from contextlib import suppress
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from providers.base import Provider
from providers.errors import CallFailure, NotFound, ResponseUnreadable, UnsupportedFeature
from providers.parsing import trim_response
from providers.types import BuildReport, RecordingReport, RemoteStatus
from voicehub import outbox
from voicehub.retry_policy import (
    LEASE,
    LOOKUPS_BEFORE_ABSENT,
    PAUSED_ACCOUNT_RETRY,
    PREVIOUS_BUILD_GRACE,
    SILENCE_BEFORE_ASKING_STAFF,
    SLOWEST_POLL,
    WITHDRAWN_POLL_LIMIT,
)
from voicehub.tokens import hash_token
from voicehub.upload_limits import CALLBACKS_PER_BUILD
from voices.models import Build, BuildRecording, BuildStatus, Callback, RemoteVoice, WorkKind
from voices.services.accounts import open_session
from voices.services.builds.lifecycle import (
    VOICE_MISSING,
    compute_poll_interval,
    record_observation,
    record_withdrawn_state,
    retire_remote_voice,
    set_final_status,
)
from voices.services.builds.spec import make_clip_name
from voices.services.staff_mails import enqueue_build_mail
from voices.services.work_samples import make_training_key, record_work

FINAL_STATUSES = {
    RemoteStatus.READY: BuildStatus.READY,
    RemoteStatus.DATASET_ISSUE: BuildStatus.DATASET_ISSUE,
    RemoteStatus.CONSENT_REJECTED: BuildStatus.CONSENT_REJECTED,
    RemoteStatus.FAILED: BuildStatus.FAILED,
}
# Only these say how long a training takes: a provider may refuse a build at once.
TRAINED_STATUSES = (RemoteStatus.READY, RemoteStatus.DATASET_ISSUE)


RECORDING_RESULTS = (
    "stoi", "pesq", "si_sdr", "sample_score", "signal_to_noise_ratio", "loudness_grade", "is_active", "is_outlier",
    "is_silent", "discard_reason",
)  # fmt: skip


def find_build_by_callback_token(provider: str, token: str) -> Build | None:
    return Build.objects.filter(callback_digest=hash_token(token), remote_voice__account__provider=provider).first()


def receive_callback(build: Build, body: bytes, address: str | None) -> bool:
    """Store a callback once and enqueue a poll. False for a duplicate or above CALLBACKS_PER_BUILD."""
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    if build.callbacks.count() >= CALLBACKS_PER_BUILD:
        return False
    try:
        with transaction.atomic():
            Callback.objects.create(
                build=build, body=text, body_sha256=hashlib.sha256(body).hexdigest(), address=address
            )
            if build.is_active or is_polled_for_proof(build):
                outbox.enqueue_task("refresh_build", build.pk)
    except IntegrityError:
        return False
    return True


def refresh_build(build_id: str) -> timedelta | None:
    """Poll the provider for a training build and store the result."""
    build = Build.objects.select_related("voice", "remote_voice__account").filter(pk=build_id).first()
    if build is not None and is_polled_for_proof(build):
        return _refresh_withdrawn_build(build)
    if build is None or build.status != BuildStatus.TRAINING:
        return None
    try:
        with open_session(build.remote_voice.account) as provider:
            report = provider.fetch_build(build.remote_voice.remote_id)
            callback_report = _find_matching_callback(build, provider, report)
    except NotFound:
        return _handle_missing_voice(build)
    except CallFailure as failure:
        return _compute_retry_delay(build, failure)
    record_observation(build.remote_voice, report)
    if report.status not in FINAL_STATUSES or _is_report_of_previous_build(build, report):
        _record_progress(build, report)
        return compute_poll_interval(build)
    _record_result(build, report, callback_report)
    return None


def _record_progress(build: Build, report: BuildReport) -> None:
    needs_staff = _needs_staff(build, report)
    with transaction.atomic():
        Build.objects.filter(pk=build.pk).update(
            raw_status=report.raw_status,
            raw_response=trim_response(report.raw),
            has_unknown_status=needs_staff,
            lookup_attempts=0,
        )
        if needs_staff and not build.has_unknown_status:
            enqueue_build_mail(build)


def is_polled_for_proof(build: Build) -> bool:
    """Whether a withdrawn build was sent lately, and its voice is still at the provider.

    While it is in doubt whether a voice was created, its deletion looks it up.
    """
    if build.status != BuildStatus.WITHDRAWN or build.submitted_at is None or build.finished_at is None:
        return False
    is_recent = timezone.now() - build.finished_at < WITHDRAWN_POLL_LIMIT
    return is_recent and bool(build.remote_voice.remote_id) and build.remote_voice.deleted_at is None


def _refresh_withdrawn_build(build: Build) -> timedelta | None:
    """Store what the provider reports until the training has ended or the provider no longer shows the voice."""
    try:
        with open_session(build.remote_voice.account) as provider:
            report = provider.fetch_build(build.remote_voice.remote_id)
    except NotFound:
        return None
    except CallFailure as failure:
        return PAUSED_ACCOUNT_RETRY if failure.stops_account else SLOWEST_POLL
    record_observation(build.remote_voice, report)
    record_withdrawn_state(build, report)
    return None if report.status in FINAL_STATUSES else SLOWEST_POLL


def record_state_before_deletion(remote: RemoteVoice, provider: Provider) -> None:
    """Store what the provider reports about a withdrawn training just before its voice is deleted, once, as proof.

    A failed request delays nothing: the deletion is sent next.
    """
    sent = Build.objects.filter(remote_voice=remote, status=BuildStatus.WITHDRAWN, submitted_at__isnull=False)
    build = sent.order_by("-finished_at").first()
    if build is None or (remote.checked_at and build.finished_at and remote.checked_at >= build.finished_at):
        return
    with suppress(CallFailure):
        report = provider.fetch_build(remote.remote_id)
        record_observation(remote, report)
        record_withdrawn_state(build, report)


def _handle_missing_voice(build: Build) -> timedelta | None:
    """Fail the build only after LOOKUPS_BEFORE_ABSENT lookups found no voice.

    The voice is paid for, and the provider may show it late.
    """
    lookups = build.lookup_attempts + 1
    if lookups < LOOKUPS_BEFORE_ABSENT:
        Build.objects.filter(pk=build.pk, status=BuildStatus.TRAINING).update(lookup_attempts=lookups)
        return max(LEASE, compute_poll_interval(build))
    retire_remote_voice(build.remote_voice)
    set_final_status(build, BuildStatus.FAILED, issue=VOICE_MISSING)
    return None


def _compute_retry_delay(build: Build, failure: CallFailure) -> timedelta:
    if failure.stops_account:
        return PAUSED_ACCOUNT_RETRY
    return max(timedelta(seconds=failure.retry_after or 0), compute_poll_interval(build))


def _needs_staff(build: Build, report: BuildReport) -> bool:
    """Whether staff must set the status, because VoiceHub does not recognize that of the provider.

    If the provider reported nothing at all, VoiceHub first waits for SILENCE_BEFORE_ASKING_STAFF.
    """
    has_no_news = not report.raw_status and not build.callbacks.exists()
    is_early = timezone.now() - (build.training_at or timezone.now()) < SILENCE_BEFORE_ASKING_STAFF
    return report.status is RemoteStatus.UNKNOWN and not (has_no_news and is_early)


def _is_report_of_previous_build(build: Build, report: BuildReport) -> bool:
    """Whether the report still has the version of the voice before the build call. Checked only soon after it."""
    is_recent = build.training_at is not None and timezone.now() - build.training_at < PREVIOUS_BUILD_GRACE
    return is_recent and bool(build.previous_version) and report.version == build.previous_version


def _find_matching_callback(build: Build, provider: Provider, report: BuildReport) -> BuildReport | None:
    """The newest callback with the same id and status as the polled report. It may contain more details."""
    for callback in build.callbacks.order_by("-received_at"):
        try:
            parsed = provider.parse_callback(callback.body.encode())
        except (ResponseUnreadable, UnsupportedFeature):
            continue
        if (parsed.remote_id, parsed.status) == (report.remote_id, report.status):
            return parsed
    return None


def _record_result(build: Build, report: BuildReport, callback_report: BuildReport | None) -> None:
    with transaction.atomic():
        _record_recording_reports(build, report.recordings, from_callback=False)
        if callback_report:
            _record_recording_reports(build, callback_report.recordings, from_callback=True)
        set_final_status(
            build,
            FINAL_STATUSES[report.status],
            issue=report.issue or (callback_report.issue if callback_report else ""),
            scores=dict(report.scores),
            raw_status=report.raw_status,
            raw_response=trim_response(report.raw),
        )
    if report.status in TRAINED_STATUSES and build.training_at:
        seconds = (timezone.now() - build.training_at).total_seconds()
        record_work(WorkKind.TRAINING, make_training_key(build.remote_voice), seconds)


def _record_recording_reports(build: Build, reports: tuple[RecordingReport, ...], *, from_callback: bool) -> None:
    """Store the report of each recording. A value that it lacks does not erase the value from a poll or callback."""
    rows = list(build.recordings.select_related("recording"))
    remote_ids = dict(build.remote_voice.recordings.values_list("recording_id", "remote_id"))
    by_id = {remote_ids[row.recording_id]: row for row in rows if row.recording_id in remote_ids}
    by_name = {make_clip_name(row.recording): row for row in rows}
    changed = []
    for report in reports:
        row = by_id.get(report.remote_id) or by_name.get(report.name.removesuffix(".wav"))
        if row is not None:
            _record_recording_report(row, report, from_callback)
            changed.append(row)
    BuildRecording.objects.bulk_update(changed, ["has_report", "from_callback", *RECORDING_RESULTS])


def _record_recording_report(row: BuildRecording, report: RecordingReport, from_callback: bool) -> None:
    for name in RECORDING_RESULTS:
        if (value := getattr(report, name)) not in (None, ""):
            setattr(row, name, value)
    row.has_report = True
    row.from_callback = from_callback
