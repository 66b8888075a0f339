"""What providers call by themselves."""

from django.urls import path

from voices import webhooks

app_name = "webhooks"

urlpatterns = [path("hooks/<slug:provider>/<str:token>/", webhooks.callback, name="callback")]
