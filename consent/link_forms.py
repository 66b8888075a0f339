"""Forms about private links: their last day, and what a talent writes on the pages behind them."""

import unicodedata
from datetime import date

from django import forms
from django.utils.translation import gettext_lazy

from consent.forms import DATE_WIDGET, ReasonField, TalentForm
from consent.services.link_days import check_last_day
from consent.services.questions import QUESTION_LENGTH
from voicehub.refusals import ActionRefused


class LastDayForm(forms.Form):
    """The new last day of links."""

    day = forms.DateField(
        label="Last day to answer", widget=DATE_WIDGET, error_messages={"required": "Choose the last day."}
    )

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        try:
            check_last_day(day)
        except ActionRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return day


class TalentEditForm(TalentForm):
    """The details of a talent. Links that were mailed to the earlier address end, so the form offers a new one."""

    send_link = forms.BooleanField(
        label="If the email address changes, send a new private link to the new address",
        required=False,
        initial=True,
        help_text="The links that were mailed to the earlier address stop working, and a mail there says so.",
    )

    def offer_link(self, *, is_offered: bool) -> None:
        if not is_offered:
            del self.fields["send_link"]


class QuestionForm(forms.Form):
    """A question of a talent. A line end counts as one character, as in the browser."""

    text = ReasonField(
        limit=QUESTION_LENGTH,
        error_messages={
            "required": gettext_lazy("Write your question first."),
            "max_length": gettext_lazy("The question is too long. Shorten it to %(limit_value)d characters."),
        },
    )


class AnswerForm(forms.Form):
    """The answer of the studio."""

    text = ReasonField(
        limit=QUESTION_LENGTH,
        error_messages={
            "required": "Write the answer first.",
            "max_length": "The answer is too long. Shorten it to %(limit_value)d characters.",
        },
    )


class CodeForm(forms.Form):
    """A one-time code. Spaces do not count, and digits of any width do."""

    code = forms.CharField(max_length=40, required=False)

    def clean_code(self) -> str:
        return "".join(unicodedata.normalize("NFKC", self.cleaned_data["code"]).split())
