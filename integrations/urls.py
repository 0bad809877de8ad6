"""The addresses that other systems call."""

from django.urls import path

from integrations.sendgrid import webhooks

app_name = "webhooks"

urlpatterns = [
    path("sendgrid", webhooks.events, name="sendgrid"),
    path("sendgrid/inbound/<str:token>", webhooks.inbound, name="sendgrid_inbound"),
    path("sendgrid/<str:token>", webhooks.events, name="sendgrid_mailbox"),
]
