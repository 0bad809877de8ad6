"""Nothing in a log line names a person or lets somebody in."""

import pytest

from eventops.logs import HIDDEN, hide, redact


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("sent to anna.berg@example.com", "sent to [address]"),
        ("Connected to redis://:hunter22@127.0.0.1:6379/0", f"Connected to redis://{HIDDEN}@127.0.0.1:6379/0"),
        ("GET /callback?code=4/abc&page=2", f"GET /callback?code={HIDDEN}&page=2"),
        ("Authorization: Bearer eyJhbGciOi.x.y", f"Authorization: Bearer {HIDDEN}"),
        ("GET /login/one-time/" + "a" * 43 + "/", f"GET /login/one-time/{HIDDEN}/"),
        ("imported 7213 rows of hannover-messe-2018.csv", "imported 7213 rows of hannover-messe-2018.csv"),
        (
            "GET /people/01939f6e-3c1a-7d2e-9f00-000000000000/",
            "GET /people/01939f6e-3c1a-7d2e-9f00-000000000000/",
        ),
    ],
)
def test_text_is_logged_without_secrets_and_addresses(logged, shown):
    assert hide(logged) == shown


def test_values_are_hidden_by_their_name_at_any_depth():
    line = {"event": "x", "api_key": "k", "request": {"headers": [{"Cookie": "sessionid=1"}], "rows": 3}, "code": 200}

    assert redact(None, "info", line) == {
        "event": "x",
        "api_key": HIDDEN,
        "request": {"headers": [{"Cookie": HIDDEN}], "rows": 3},
        "code": 200,
    }
