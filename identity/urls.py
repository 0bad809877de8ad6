from django.urls import path

from identity.views import entrance, members, settings, tokens

app_name = "identity"

urlpatterns = [
    path("welcome/", entrance.welcome, name="welcome"),
    path("organizations/", entrance.choose, name="choose"),
    path("organizations/join/", entrance.join, name="join"),
    path("invitations/<str:secret>/", entrance.invitation, name="invitation"),
    path("enter/<str:token>/", entrance.enter, name="enter"),
    path("settings/", settings.home, name="settings"),
    path("settings/profile/", settings.profile, name="profile"),
    path("settings/organization/", settings.organization, name="organization"),
    path("settings/changes/", settings.changes, name="changes"),
    path("settings/members/", members.members, name="members"),
    path("settings/members/<uuid:pk>/role/", members.change_role, name="change_role"),
    path("settings/members/<uuid:pk>/deactivate/", members.deactivate, name="deactivate"),
    path("settings/members/<uuid:pk>/reactivate/", members.reactivate, name="reactivate"),
    path("settings/invitations/<uuid:pk>/resend/", members.resend_invitation, name="resend_invitation"),
    path("settings/invitations/<uuid:pk>/revoke/", members.revoke_invitation, name="revoke_invitation"),
    path("settings/tokens/", tokens.tokens, name="tokens"),
    path("settings/tokens/<uuid:pk>/revoke/", tokens.revoke_token, name="revoke_token"),
]
