"""The page that shows developers every component of docs/design.md in every state."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

STATUSES = [
    ("good", "Ready"),
    ("wait", "Contract ends in 12 days"),
    ("bad", "Build failed"),
    ("busy", "Training"),
    ("new", "To review"),
    ("idle", "Not asked"),
]
# The same states on pages that name the tone of a state in Python.
TONES = [("good", "Ready"), ("wait", "Waiting"), ("bad", "Failed"), ("busy", "Training"), ("over", "Ended")]
# Name, transcript, length, our estimate, and the class of its grade.
RECORDINGS = [
    ("guide-022", "It weighs almost two tons, and it took nine people to lift it.", "6.9 s", "1.9", "is-poor"),
    ("guide-035", "Follow the blue line on the floor to reach the next room.", "6.6 s", "2.9", "is-fair"),
    ("guide-003", "The keeper lived here alone, with a cat and two hundred books.", "7.2 s", "3.3", "is-fair"),
    ("guide-001", "You can hear one of them by pressing the button.", "7.1 s", "4.5", ""),
]
# The class of the chip of each recording's finding, and the finding.
FINDINGS = [("is-bad", "Clipped"), ("is-wait", "Background noise"), ("", "Upsampled"), ("is-good", "Repaired")]


@require_safe
@permission_required("voicehub.view_user", raise_exception=True)  # only admins may see the users
def show_components(request: HttpRequest) -> HttpResponse:
    rows = [(*recording, *finding) for recording, finding in zip(RECORDINGS, FINDINGS, strict=True)]
    return render(request, "components.html", {"statuses": STATUSES, "tones": TONES, "recordings": rows})
