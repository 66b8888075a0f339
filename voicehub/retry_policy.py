"""Every delay between two tries, every polling interval and every limit of attempts, each with its reason.

The supervisor of the embedded studio is not in here: how long it waits before it starts a program again is its own
matter (launcher.supervisor). Deadlines of one call to a provider stand in providers.http.
"""

from datetime import timedelta

from django.conf import settings

# --- Tasks in the background (voicehub.outbox) ---

# A worker that says nothing for so long is taken for dead, and its task goes to another one.
LEASE = timedelta(seconds=settings.VOICEHUB_LEASE_SECONDS)
# Not sooner, so that a busy queue is not filled with the same ids; not later than a dead worker's lease is over.
RENOTIFY_AFTER = min(timedelta(seconds=20), LEASE)
# After so many failures in a row a task is given up: what still fails after some minutes needs a person.
MAX_ATTEMPTS = 5
# Seconds between two tries of a worker to reach the queue: short, as the queue is back within a second or two.
QUEUE_RECONNECT_SECONDS = 1.0
# A task whose question must not stay open rests for so long after it was given up, and starts over.
GIVEN_UP_RETRY = timedelta(hours=1)
# Files of one upload come one after the other; comparing them begins when they are all there.
COMPARE_DELAY = timedelta(seconds=5)
# Consents end by date, so an hour's delay only matters on the day itself, and the gate asks for the date anyway.
CONSENT_EXPIRY_INTERVAL = timedelta(hours=1)


def attempt_delay(attempts: int) -> timedelta:
    """How long a task waits after so many failures in a row: 4 s, 16 s, 64 s, 256 s."""
    return timedelta(seconds=4**attempts)


# --- Calls to providers (voices.services) ---

# Between two looks whether a paused account works again. Resuming it enqueues what waits at once.
PAUSED_ACCOUNT_RETRY = timedelta(minutes=10)
# After a call that did not reach the provider, where the provider did not say when to come back.
UNREACHABLE_RETRY = timedelta(seconds=15)
# The longest time between two polls of a build that trains, so that a page is never older than this.
SLOWEST_POLL = timedelta(minutes=10)
# A build is polled at its tier's pace at first, and then every twentieth of its age: a day's training is not asked
# for every few seconds, and nobody waits for more than 5 % longer than it took.
POLL_SHARE_OF_AGE = 1 / 20
# A provider's list may lag, so a voice is only taken for absent when it was looked for twice.
LOOKUPS_BEFORE_ABSENT = 2
# Where a look-up proves nothing, a person has to say what became of a call; VoiceHub still looks this often.
INCONCLUSIVE_LOOKUP_INTERVAL = timedelta(minutes=10)
# For so long after a build call a provider may still describe the build before it.
PREVIOUS_BUILD_GRACE = timedelta(minutes=2)
# The longest silence of a provider about a training before staff are asked.
SILENCE_BEFORE_ASKING_STAFF = timedelta(minutes=30)
# Between two tries to delete a voice, and between two looks whether it is gone.
DELETION_RETRY = timedelta(minutes=10)
