"""Security events in plain words: who did what to whom."""

from collections.abc import Callable

from voicehub.models import SecurityEvent, SecurityEventKind, User

SERVER = "A command on the server"
STRANGER = "Someone"
ADDED, DELETED = "Added.", "Deleted."
CLOSED, OPENED, ROLES = "May sign in: yes → no", "May sign in: no → yes", "Roles: "
SEVERAL = "All"  # factors at once, by a command


class Words:
    """The names of an event for the one who reads it. Nothing is looked up, so that lists cost no queries."""

    def __init__(self, event: SecurityEvent, reader: User | None) -> None:
        self.event = event
        self.subject, self.detail = event.subject, event.detail
        has_person = bool(event.person_id or event.person_name)
        self.is_own = not has_person
        self.is_by_reader = reader is not None and event.actor_id == reader.pk
        self.is_about_reader = reader is not None and (event.person_id if has_person else event.actor_id) == reader.pk
        self.who = "You" if self.is_by_reader else event.actor_name or self._name_unknown_actor()
        self.whom = "you" if self.is_about_reader else (event.person_name if has_person else event.actor_name)

    def _name_unknown_actor(self) -> str:
        return STRANGER if self.event.address or self.event.browser else SERVER

    def conjugate(self, verb: str) -> str:
        return verb if self.is_by_reader else f"{verb}s"

    def name_own(self, thing: str) -> str:
        """“your password”, “their password”, or “the password of Paula”."""
        if self.is_about_reader:
            return f"your {thing}"
        return f"their {thing}" if self.is_own else f"the {thing} of {self.whom}"

    def name_factor(self) -> str:
        return "second factors" if self.subject == SEVERAL else self.subject.lower()


def _describe_attempt(words: Words, what: str) -> str:
    place = f" at {words.subject}" if words.subject else ""
    return f"A sign-in{place} {f'as {words.whom}' if words.whom else 'with an unknown name'} {what}"


def _describe_ended_sessions(words: Words) -> str:
    if not words.is_own:
        return f"{words.who} ended {words.name_own('session')}"
    return f"{words.who} signed out in {words.subject} other browser{'' if words.subject == '1' else 's'}"


def _describe_reset(words: Words) -> str:
    if not words.is_own:
        return f"{words.who} sent {words.whom} a link for a new password"
    return f"A link for a new password was requested for {words.whom or 'an unknown address'}"


def _describe_added_factor(words: Words) -> str:
    article = "an" if words.subject.lower().startswith("a") else "a"
    return f"{words.who} added {article} {words.subject.lower()}"


def _describe_changed_user(words: Words) -> str:
    whom = words.name_own("own account") if words.is_own else words.whom
    detail = words.detail
    if detail.startswith((ADDED, DELETED)):
        return f"{words.who} {detail.partition('.')[0].lower()} {whom}"
    if CLOSED in detail:
        return f"{words.who} no longer {words.conjugate('let')} {words.whom} sign in"
    if OPENED in detail:
        return f"{words.who} {words.conjugate('let')} {words.whom} sign in again"
    if detail.startswith(ROLES) or f"; {ROLES}" in detail:
        return f"{words.who} changed {words.name_own('roles')}"
    return f"{words.who} changed {whom}"


Kind = SecurityEventKind
DESCRIPTIONS: dict[SecurityEventKind, Callable[[Words], str]] = {
    Kind.SIGNED_IN: lambda words: f"{words.who} signed in",
    Kind.SIGN_IN_FAILED: lambda words: _describe_attempt(words, "failed"),
    Kind.SIGN_IN_DELAYED: lambda words: _describe_attempt(words, "was delayed after too many failed attempts"),
    Kind.SIGNED_OUT: lambda words: f"{words.who} signed out",
    Kind.SESSIONS_ENDED: _describe_ended_sessions,
    Kind.DENIED: lambda words: f"Access to {words.subject} was denied to {words.whom}",
    Kind.PASSWORD_CHANGED: lambda words: f"{words.who} changed {words.name_own('password')}",
    Kind.PASSWORD_RESET: lambda words: f"{words.who} chose a new password by a link",
    Kind.RESET_REQUESTED: _describe_reset,
    Kind.FACTOR_ADDED: _describe_added_factor,
    Kind.FACTOR_REMOVED: lambda words: f"{words.who} removed {words.name_own(words.name_factor())}",
    Kind.CODES_CREATED: lambda words: f"{words.who} created new recovery codes",
    Kind.CODE_USED: lambda words: f"{words.who} used a recovery code",
    Kind.FACTOR_FAILED: lambda words: f"A second factor for {words.whom} was wrong",
    Kind.EMAIL_REQUESTED: lambda words: f"{words.who} asked to change {words.name_own('email address')}",
    Kind.EMAIL_CHANGED: lambda words: f"{words.who} changed {words.name_own('email address')}",
    Kind.INVITED: lambda words: f"{words.who} invited {words.whom}",
    Kind.USER_CHANGED: _describe_changed_user,
    Kind.SETTING_CHANGED: lambda words: f"{words.who} changed a setting: {words.subject}",
    Kind.KEY_CHANGED: lambda words: f"{words.who} changed a provider key: {words.subject}",
}


def describe_event(event: SecurityEvent, reader: User | None = None) -> str:
    """For example “Ada removed the authenticator app of Paula”, or “… your authenticator app” if Paula reads it."""
    return DESCRIPTIONS[SecurityEventKind(event.kind)](Words(event, reader))
