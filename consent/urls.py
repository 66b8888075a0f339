"""URLs for staff."""

from django.urls import path

from consent.views import consents, contracts, links, many_requests, requests, takes, talents

app_name = "consent"

urlpatterns = [
    path("talents/", talents.talent_list, name="talent_list"),
    path("talents/add/", talents.talent_add, name="talent_add"),
    path("talents/ask/", many_requests.ask_talents, name="ask_talents"),
    path("talents/ask/table/", many_requests.import_requests, name="request_table"),
    path("talents/<uuid:pk>/", talents.talent_page, name="talent"),
    path("talents/<uuid:pk>/edit/", talents.talent_edit, name="talent_edit"),
    path("talents/<uuid:pk>/hold/set/", talents.hold_set, name="hold_set"),
    path("talents/<uuid:pk>/hold/release/", talents.hold_release, name="hold_release"),
    path("talents/<uuid:pk>/contracts/add/", contracts.contract_add, name="contract_add"),
    path("talents/<uuid:pk>/ask/", requests.consent_request, name="consent_ask"),
    path("talents/<uuid:pk>/ask/statement/", requests.statement_preview, name="statement"),
    path("talents/<uuid:pk>/invite/", requests.talent_invite, name="talent_invite"),
    path("contract-drafts/<uuid:pk>/file", contracts.contract_draft, name="contract_draft"),
    path("contracts/<uuid:pk>/", contracts.contract_page, name="contract"),
    path("contracts/<uuid:pk>/confirm/", contracts.contract_confirm, name="contract_confirm"),
    path("contracts/<uuid:pk>/file", contracts.contract_file, name="contract_file"),
    path("contracts/<uuid:pk>/check/", contracts.check_file, name="contract_check"),
    path("contracts/<uuid:pk>/suspend/", contracts.contract_suspend, name="contract_suspend"),
    path("contracts/<uuid:pk>/resume/", contracts.contract_resume, name="contract_resume"),
    path("consents/", consents.consent_list, name="consent_list"),
    path("consents/add/", requests.consent_add, name="consent_add"),
    path("consents/<uuid:pk>/", consents.consent_page, name="consent"),
    path("consents/<uuid:pk>/invite/", links.invite, name="invite"),
    path("consents/<uuid:pk>/link/", links.copy_link, name="copy_link"),
    path("consents/<uuid:pk>/links/<uuid:link>/end/", links.revoke_link, name="end_link"),
    path("consents/<uuid:pk>/links/<uuid:link>/remind/", links.remind, name="remind"),
    path("consents/<uuid:pk>/record/", takes.record_in_studio, name="record_in_studio"),
    path("consents/<uuid:pk>/takes/", takes.take_upload, name="take_upload"),
    path("consents/<uuid:pk>/approve/", consents.approve, name="approve"),
    path("consents/<uuid:pk>/ask-again/", consents.ask_again, name="ask_again"),
    path("consents/<uuid:pk>/languages/", consents.language_allow, name="language_allow"),
    path("consents/<uuid:pk>/suspend/", consents.suspend, name="suspend"),
    path("consents/<uuid:pk>/resume/", consents.resume, name="resume"),
    path("consents/<uuid:pk>/withdraw/", consents.withdraw, name="withdraw"),
    path("consents/<uuid:pk>/check/", consents.check_audit_log, name="history_check"),
    path("consents/<uuid:pk>/decline/", consents.decline, name="decline"),
    path("consents/<uuid:pk>/answer-report/", consents.answer_report, name="answer_report"),
    path("consents/<uuid:pk>/void/", consents.void, name="void"),
    path("takes/<uuid:pk>/audio", takes.take_audio, name="take_audio"),
    path("takes/<uuid:pk>/original", takes.take_original, name="take_original"),
    path("takes/<uuid:pk>/peaks", takes.take_peaks, name="take_peaks"),
    path("takes/<uuid:pk>/check/", takes.take_check, name="take_check"),
]
