"""URLs that providers call, in a namespace of their own."""

from django.urls import path

from voices import webhooks

app_name = "webhooks"

urlpatterns = [path("hooks/<slug:provider>/<str:token>/", webhooks.handle_callback, name="callback")]
