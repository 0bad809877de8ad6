"""Sessions (C30.4): a page asks for a log-in instead of failing, whatever the cookie says."""

from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse, reverse_lazy

PAGE = reverse_lazy("usersessions_list")


def goes_to_login(response) -> bool:
    return response.status_code == 302 and response["Location"].startswith(reverse("account_login"))


def test_without_a_session_a_page_leads_to_the_log_in(client, db):
    assert goes_to_login(client.get(PAGE))


def test_a_session_that_ended_leads_to_the_log_in(client_for, rep):
    client = client_for(rep)
    Session.objects.all().delete()

    assert goes_to_login(client.get(PAGE))


def test_a_made_up_session_leads_to_the_log_in(client, db):
    client.cookies[settings.SESSION_COOKIE_NAME] = "not-a-session'; DROP TABLE"

    assert goes_to_login(client.get(PAGE))


def test_a_session_opens_the_page(client_for, rep):
    response = client_for(rep).get(PAGE)

    assert response.status_code == 200
