"""Rows of this app in the words of people: languages, lines of a history, how a take was made."""

from django.conf.locale import LANG_INFO

from consent.models import Capture, Event, EventKind, Take

# Nothing deletes a voice at the end of a contract by itself, so the field does not promise it.
DELETE_AT_END_LABEL = "Delete the voice when the contract ends (by hand until further notice)"
PROCESSING_LABELS = {
    "echoCancellation": "echo cancelling",
    "noiseSuppression": "noise suppression",
    "autoGainControl": "automatic gain",
}


def get_language_name(tag: str) -> str:
    """A BCP 47 tag for people: "en-US" → "English (US)"; the tag itself where the language is not known."""
    code, _, region = tag.partition("-")
    name = LANG_INFO.get(code.lower(), {}).get("name", "")
    if not name:
        return tag
    return f"{name} ({region})" if region else name


def describe_capture(take: Take) -> str:
    """How the take was made and by whom, in one sentence."""
    if take.capture == Capture.IN_STUDIO:
        return f"Recorded in the studio; {take.recorded_by or 'staff'} held the microphone."
    if take.capture == Capture.UPLOAD:
        if take.recorded_by:
            return f"Uploaded as a file by {take.recorded_by} on the talent's behalf; not recorded here."
        return "Uploaded as a file over the private link; not recorded here."
    if take.recorded_by:
        return f"Recorded over the private link in a browser where {take.recorded_by} was signed in."
    return "Recorded by the talent over the private link."


def describe_capture_to_talent(take: Take) -> str:
    """The same, said to the talent."""
    if take.recorded_by or take.capture == Capture.IN_STUDIO:
        return describe_capture(take)
    if take.capture == Capture.UPLOAD:
        return "Sent by you as a file over the private link; not recorded here."
    return "Recorded by you over the private link."


def describe_processing(take: Take) -> str:
    """What the browser says it did to the sound of the microphone; empty where it said nothing."""
    known = {
        name: take.device[key] for key, name in PROCESSING_LABELS.items() if isinstance(take.device.get(key), bool)
    }
    kept = [name for name, on in known.items() if on]
    if kept:
        return f"The browser kept its {' and '.join(kept)} on, which changes the voice."
    return "The browser's own processing was off." if known else ""


def _describe_take(event: Event) -> str:
    how = {
        Capture.IN_STUDIO: f"{event.actor_name} recorded the statement in the studio",
        Capture.UPLOAD: f"{event.actor_name} uploaded a recording of the statement",
    }.get(event.payload.get("capture", ""), f"{event.actor_name} recorded the statement over the private link")
    return how if event.payload.get("ok", True) else f"{how}; it cannot be used"


def _describe_approver(event: Event) -> str:
    """Who approved; where they judged a take of their own making, that is said."""
    made_it = event.payload.get("approver_made_take")
    return f"{event.actor_name}, who had also recorded or uploaded it," if made_it else event.actor_name


def describe_event(event: Event) -> str:
    """A line of the history as a sentence without its full stop; the reason, if any, is shown beside it."""
    who = event.actor_name
    if event.kind == EventKind.TAKE:
        return _describe_take(event)
    return {
        EventKind.REQUESTED: f"{who} asked for consent",
        EventKind.INVITED: f"The invitation of {who} was mailed to {event.payload.get('to', 'the talent')}",
        EventKind.LINK_COPIED: f"{who} created a private link to pass on",
        EventKind.LINK_ENDED: f"{who} ended a private link",
        EventKind.OPENED: f"{who} began on the private page",
        EventKind.ASKED_AGAIN: f"{who} asked to have it read again",
        EventKind.APPROVED: f"{_describe_approver(event)} approved the recording; the consent is in force",
        EventKind.DECLINED: f"{who} declined",
        EventKind.VOIDED: f"{who} called the request off",
        EventKind.SUSPENDED: f"{who} suspended the consent",
        EventKind.RESUMED: f"{who} put the consent in force again",
        EventKind.WITHDRAWN: f"The consent was withdrawn, recorded by {who}"
        if event.actor_id
        else f"{who} withdrew it",
        EventKind.EXPIRED: "The consent reached its last day and expired",
        EventKind.USED: f"Used for a build that {who} started",
    }[EventKind(event.kind)]
