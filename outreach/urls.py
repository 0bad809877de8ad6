from django.urls import path

from outreach.views import campaigns, mailboxes, messages, replies, suppression, templates

app_name = "outreach"
urlpatterns = [
    path("", messages.message_list, name="list"),
    path("new/", campaigns.new, name="new"),
    path("new/filter/", campaigns.filter_form, name="filter"),
    path("people/<uuid:pk>/", messages.compose, name="compose"),
    path("messages/<uuid:pk>/", messages.detail, name="detail"),
    path("messages/<uuid:pk>/edit/", messages.edit, name="edit"),
    path("messages/<uuid:pk>/approve/", messages.approve, name="approve"),
    path("messages/<uuid:pk>/drop/", messages.drop, name="drop"),
    path("messages/<uuid:pk>/decide/", messages.decide, name="decide"),
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/<uuid:pk>/", campaigns.campaign, name="campaign"),
    path("campaigns/<uuid:pk>/progress/", campaigns.campaign_progress, name="campaign_progress"),
    path("campaigns/<uuid:pk>/approve/", campaigns.approve, name="campaign_approve"),
    path("campaigns/<uuid:pk>/cancel/", campaigns.cancel, name="campaign_cancel"),
    path("campaigns/<uuid:pk>/retry/", campaigns.retry, name="campaign_retry"),
    path("replies/", replies.reply_list, name="replies"),
    path("replies/<uuid:pk>/", replies.show_mail, name="mail"),
    path("replies/<uuid:pk>/handle/", replies.handle, name="handle"),
    path("templates/", templates.template_list, name="template_list"),
    path("templates/new/", templates.edit, name="template_new"),
    path("templates/preview/", templates.preview, name="template_preview"),
    path("templates/<uuid:pk>/", templates.edit, name="template_edit"),
    path("templates/<uuid:pk>/archive/", templates.archive, name="template_archive"),
    path("mailboxes/", mailboxes.mailbox_list, name="mailboxes"),
    path("mailboxes/new/", mailboxes.edit, name="mailbox_new"),
    path("mailboxes/<uuid:pk>/", mailboxes.edit, name="mailbox_edit"),
    path("mailboxes/<uuid:pk>/<str:action>/", mailboxes.act, name="mailbox_act"),
    path("suppression/", suppression.suppression_list, name="suppression"),
    path("suppression/<uuid:pk>/lift/", suppression.lift, name="lift"),
]
