"""The audio of blind listening, and the vote. No address and no header says which build a sample is by."""

from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from consent.access import require_permission
from consent.services.file_access import send_recorded
from voicehub import media
from voicehub.refusals import ActionRefused
from voices import access
from voices.models import VoteChoice
from voices.services.blind_listening import CANNOT_PLAY, Sentence, cast_vote, find_sentence
from voices.services.builds.comparison import check_comparable
from voices.services.file_access import describe_preview
from voices.views.comparison import Comparison, load_comparison

HELD = "The voice is suspended. Nothing of it can be played until the suspension ends."


class VoteForm(forms.Form):
    """`answer` is the number of the better sample, or another choice of a vote."""

    question = forms.CharField(max_length=32)
    answer = forms.ChoiceField(
        choices=[(value, value) for value in ("1", "2", "3", "4", VoteChoice.SAME, VoteChoice.SKIPPED)]
    )


@require_permission("voices.view_remotevoice")
@require_safe
def compare_sample(request: HttpRequest, question: str) -> HttpResponseBase:
    """The audio of one sample, by its `number` in the order of this user."""
    comparison = load_comparison(request)
    sentence = _get_sentence(comparison, question)
    samples = sentence.shuffle_samples(comparison.user)
    voices = {sample.remote_voice_id for sample in samples}
    if voices & comparison.closed:
        raise PermissionDenied(f"{access.CLOSED}. Only producers and admins can open these previews.")
    if voices & comparison.held:
        raise PermissionDenied(HELD)
    numbered = {str(number): sample for number, sample in enumerate(samples, 1)}
    sample = numbered.get(request.GET.get("number", ""))
    if sample is None:
        raise Http404
    response = media.send_unnamed_file(request, sample.file, sample.content_type)
    return send_recorded(request, describe_preview(sample), response)


@require_permission("voices.add_blindvote")
@require_POST
def compare_vote(request: HttpRequest) -> HttpResponse:
    """Store the vote of this user. The page then shows the names."""
    comparison, form = load_comparison(request), VoteForm(request.POST)
    try:
        check_comparable(comparison.builds)
        question = _store_vote(comparison, form)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
        question = quote(request.POST.get("question", "")[:32])
    return redirect(f"{comparison.url}&sentence={question}#blind")


def _store_vote(comparison: Comparison, form: VoteForm) -> str:
    """The question that was answered. Raises ActionRefused if the answer cannot be stored."""
    if not form.is_valid():
        raise ActionRefused("Choose one of the samples, or say that there is no difference.")
    question, answer = str(form.cleaned_data["question"]), str(form.cleaned_data["answer"])
    sentence = _get_sentence(comparison, question)
    if not comparison.can_play(sentence):
        raise ActionRefused(CANNOT_PLAY)
    if answer.isdigit():
        cast_vote(sentence, comparison.user, VoteChoice.SAMPLE, int(answer))
    else:
        cast_vote(sentence, comparison.user, answer)
    return question


def _get_sentence(comparison: Comparison, question: str) -> Sentence:
    sentence = find_sentence(comparison.sentences, question)
    if sentence is None:
        raise Http404
    return sentence
