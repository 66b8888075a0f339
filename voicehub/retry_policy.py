"""Every retry delay, polling interval and attempt limit, each with its reason.

Defined elsewhere: the restart delays of the embedded studio (launcher.supervisor), and the deadlines of one provider
call (providers.http).
"""

from datetime import timedelta

from django.conf import settings

# --- Background tasks (voicehub.outbox) ---

# After this time without a heartbeat a worker counts as dead, and another worker may claim its task.
LEASE = timedelta(seconds=settings.VOICEHUB_LEASE_SECONDS)
# Minimum interval between two notifications for one task, so that a busy queue does not fill up with the same ids.
# Not longer than the lease: when a worker has died, the queue is notified as soon as another worker may claim its task.
RENOTIFY_AFTER = min(timedelta(seconds=20), LEASE)
# After this number of failures in a row a task fails: an error that lasts for minutes needs a person.
MAX_ATTEMPTS = 5
# Seconds between a worker's connection attempts. Short, because the queue restarts within a second or two.
QUEUE_RECONNECT_SECONDS = 1.0
# Some tasks must not stay failed, such as polls and deletions. They start over after this time.
FAILED_TASK_RETRY = timedelta(hours=1)
# The files of one upload arrive one after another. The comparison waits for all of them.
COMPARE_DELAY = timedelta(seconds=2)
# How long a change of many recordings can be undone, and the preview of one can be applied. Long enough to listen to
# some of them, and short enough that copies of transcripts do not stay around.
UNDO_TIME = timedelta(hours=1)
# Consents expire by date, so an hour's delay only matters on that day, and the gate checks the date itself.
CONSENT_EXPIRY_INTERVAL = timedelta(hours=1)
REMINDER_INTERVAL = timedelta(hours=1)
# The PDF of a contract form with an error is kept for a day, in which the person can finish the form.
CONTRACT_DRAFT_LIFETIME = timedelta(days=1)
CONTRACT_DRAFT_SWEEP_INTERVAL = timedelta(hours=1)
# Uploads end after weeks, so an hour's delay of their deletion does not matter.
UPLOAD_SWEEP_INTERVAL = timedelta(hours=1)
# No request takes that long, so a part whose size is still missing is of a process that was killed.
BROKEN_PART_AGE = timedelta(hours=1)
# Imports are kept for days, so an hour more does not matter.
IMPORT_EXPIRY_INTERVAL = timedelta(hours=1)
# Old security events and sessions are deleted this often.
ACCESS_DATA_INTERVAL = timedelta(days=1)
# Contract files and audit logs are checked once a night, in the studio's time zone, when few people wait for pages.
EVIDENCE_CHECK_HOUR = 3
# If the file storage did not respond during that check.
EVIDENCE_CHECK_RETRY = timedelta(hours=1)


def attempt_delay(attempts: int) -> timedelta:
    """The delay after this number of failures in a row: 4 s, 16 s, 64 s, 256 s."""
    return timedelta(seconds=4**attempts)


# --- Calls to providers (voices.services) ---

# Interval between checks of whether a paused account works again. Resuming an account enqueues its work at once.
PAUSED_ACCOUNT_RETRY = timedelta(minutes=10)
# Interval between checks of whether a suspended consent or contract was replaced. Resuming it continues at once.
HELD_SAMPLE_RETRY = timedelta(hours=1)
# The usage of all accounts is asked once a day, because it costs a few calls and changes slowly.
USAGE_REFRESH_INTERVAL = timedelta(days=1)
# Previews are measured when they are stored. Interval between searches for some that were not.
PREVIEW_MEASURE_INTERVAL = timedelta(hours=1)
# The delay after a call that did not reach the provider, if no Retry-After was given.
UNREACHABLE_RETRY = timedelta(seconds=15)
# The longest interval between polls of a training build. No page shows an older status.
SLOWEST_POLL = timedelta(minutes=10)
# A withdrawn build is polled for this time, for the bill and the proof. A voice that was never trained has no end.
WITHDRAWN_POLL_LIMIT = timedelta(days=7)
# A build is polled at its tier's interval at first, later at a twentieth of its age: a training that takes a day is not
# polled every few seconds, and the result is seen at most 5 % late.
POLL_SHARE_OF_AGE = 1 / 20
# The sandbox trains within seconds and has no quota, so its builds are polled more often than those of a vendor.
SANDBOX_POLL = timedelta(seconds=1)
# A provider's list may lag, so a voice counts as absent only after this number of look-ups.
LOOKUPS_BEFORE_ABSENT = 2
# If a look-up proves nothing, staff must resolve the call. VoiceHub keeps looking it up at this interval.
INCONCLUSIVE_LOOKUP_INTERVAL = timedelta(minutes=10)
# Grace period after a build call in which the provider may still report the previous build.
PREVIOUS_BUILD_GRACE = timedelta(minutes=2)
# Maximum silence of a provider about a training before we ask staff.
SILENCE_BEFORE_ASKING_STAFF = timedelta(minutes=30)
# Interval between attempts to delete a voice, and between checks of whether it is gone: it grows with the age of the
# request, from the shortest to the longest.
FIRST_DELETION_RETRY = timedelta(seconds=15)
LAST_DELETION_RETRY = timedelta(minutes=10)
DELETION_RETRY_SHARE_OF_AGE = 0.2
# A deletion waits while a worker sends the build. This is the time in which the worker marks its task as done.
DELETION_AFTER_SUBMIT = timedelta(seconds=1)


def deletion_delay(age: timedelta) -> timedelta:
    """The time until the next attempt at a deletion that was requested this long ago."""
    return min(max(FIRST_DELETION_RETRY, age * DELETION_RETRY_SHARE_OF_AGE), LAST_DELETION_RETRY)


# After this time without a confirmed deletion, staff are asked. VoiceHub keeps trying.
DELETION_ALERT_AFTER = timedelta(days=1)
# A user deletes a voice by hand within this time. Then Today shows it as an alarm.
MANUAL_DELETION_ALARM_AFTER = timedelta(days=7)
# Days between the mail about the end of a consent or contract and the deletion of the voice: the studio has a week to
# agree on a new consent or contract.
DELETION_GRACE = timedelta(days=7)
# Interval between checks of the coverage of all voices. Only the day matters, and pages check the coverage themselves.
DELETION_SCHEDULE_INTERVAL = timedelta(hours=1)
# A deletion that a legal hold stops. Releasing the hold enqueues it at once, so this only finds a lost task again.
LEGAL_HOLD_RETRY = timedelta(hours=1)
