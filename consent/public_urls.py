"""URLs for talents, without sign-in. Each page requires that this browser opened its invitation, or a token.

`link` is the id of the invitation. These URLs need their own file, because a URLconf has only one namespace.
"""

from django.urls import path

from consent import public_views as views
from consent.code_views import enter_code
from consent.comparison_views import answer_comparison
from consent.dispute_views import report
from consent.language_views import choose_language
from consent.question_views import ask
from consent.receipt_views import receipt_pdf, recording

app_name = "invitation"

urlpatterns = [
    path("i/<str:token>/", views.open_link, name="open"),
    path("reports/<str:token>/", report, name="report"),
    path("invitation/", views.old_home, name="old_home"),
    path("invitation/<uuid:link>/", views.home, name="home"),
    path("invitation/<uuid:link>/code/", enter_code, name="code"),
    path("invitation/<uuid:link>/question/", ask, name="ask"),
    path("invitation/<uuid:link>/begin/", views.begin, name="begin"),
    path("invitation/<uuid:link>/voice-comparison/", answer_comparison, name="comparison"),
    path("invitation/<uuid:link>/language/", choose_language, name="language"),
    path("invitation/<uuid:link>/<uuid:pk>/", views.record_page, name="record"),
    path("invitation/<uuid:link>/<uuid:pk>/submit/", views.submit, name="submit"),
    path("invitation/<uuid:link>/<uuid:pk>/decline/", views.decline, name="decline"),
    path("invitation/<uuid:link>/<uuid:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("invitation/<uuid:link>/<uuid:pk>/deletions/", views.deletions, name="deletions"),
    path("invitation/<uuid:link>/<uuid:pk>/contracts/<uuid:contract>/", views.contract_file, name="contract"),
    path("invitation/<uuid:link>/<uuid:pk>/receipt/", views.receipt, name="receipt"),
    path("invitation/<uuid:link>/<uuid:pk>/receipt.pdf", receipt_pdf, name="receipt_pdf"),
    path("invitation/<uuid:link>/<uuid:pk>/recording.wav", recording, name="recording"),
]
