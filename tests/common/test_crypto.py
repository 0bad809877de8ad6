import base64
import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured

from common import crypto

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()
ORGANIZATION = uuid.UUID(int=7)


def test_a_secret_comes_back_from_its_place():
    stored = crypto.encrypt("SG.söcret", place="t:1:f", organization_id=ORGANIZATION)

    assert crypto.decrypt(stored, place="t:1:f", organization_id=ORGANIZATION) == "SG.söcret"
    assert "SG." not in stored


@pytest.mark.parametrize(
    ("place", "organization_id"),
    [("t:2:f", ORGANIZATION), ("t:1:g", ORGANIZATION), ("t:1:f", uuid.UUID(int=8))],
)
def test_a_secret_moved_elsewhere_does_not_open(place, organization_id):
    stored = crypto.encrypt("secret", place="t:1:f", organization_id=ORGANIZATION)

    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(stored, place=place, organization_id=organization_id)


def test_a_new_key_encrypts_while_the_old_one_still_opens(settings):
    settings.EVENTOPS_ENCRYPTION_KEYS = OLD
    before = crypto.encrypt("secret", place="t:1:f", organization_id=ORGANIZATION)

    settings.EVENTOPS_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    after = crypto.encrypt("secret", place="t:1:f", organization_id=ORGANIZATION)

    assert (before.split("|")[1], after.split("|")[1]) == ("old", "new")
    assert crypto.decrypt(before, place="t:1:f", organization_id=ORGANIZATION) == "secret"
    settings.EVENTOPS_ENCRYPTION_KEYS = NEW
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(before, place="t:1:f", organization_id=ORGANIZATION)


@pytest.mark.parametrize(
    "stored", ["", "secret", "v1|", "v1|auth|!!", "v1|auth|AAAA", "v2|auth|AAAA", "v1|nobody|AAAA"]
)
def test_what_is_no_secret_of_ours_does_not_open(stored):
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(stored, place="t:1:f", organization_id=ORGANIZATION)


@pytest.mark.parametrize("text", ["k1", "k1:short", ":" + "A" * 44, "k1:" + base64.b64encode(b"x" * 31).decode()])
def test_malformed_keys_are_refused(text):
    with pytest.raises(ImproperlyConfigured):
        crypto.parse_keys(text)


def test_a_digest_holds_over_a_rotation_and_for_its_purpose_only(settings):
    settings.EVENTOPS_ENCRYPTION_KEYS = OLD
    digest = crypto.keyed_digests("value", purpose="link")[0][:16]

    settings.EVENTOPS_ENCRYPTION_KEYS = f"{NEW},{OLD}"

    assert crypto.is_signed("value", digest, purpose="link")
    assert not crypto.is_signed("value", digest, purpose="reply")
    assert not crypto.is_signed("other", digest, purpose="link")
    assert not crypto.is_signed("value", b"", purpose="link")


def test_a_secret_does_not_show_itself():
    assert repr({"key": crypto.Secret("SG.abc")}) == "{'key': '***'}"
