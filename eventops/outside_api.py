"""Operations below ``/api`` that ninja does not serve, as the description of the API tells them: health and webhooks."""

from __future__ import annotations

from typing import Any

_SIGNED = "Signed by SendGrid over the raw bytes (`X-Twilio-Email-Event-Webhook-Signature`); no token of ours."


def _health(status: str, words: str, redis: str, database: str = "healthy") -> dict[str, Any]:
    answer = {
        "status": status,
        "timestamp": "2026-11-20T09:00:00+00:00",
        "buildId": "1.4.0",
        "checks": {
            "database": {"status": database},
            "redis": {"status": redis},
            "env": {"status": "healthy", "missing": []},
        },
    }
    return {
        "description": words,
        "headers": {"X-Response-Time": {"description": "Milliseconds it took.", "schema": {"type": "string"}}},
        "content": {"application/json": {"schema": {"type": "object"}, "example": answer}},
    }


def _operation(summary: str, description: str, answers: dict[int, Any], **more: Any) -> dict[str, Any]:
    told = {
        status: answer if isinstance(answer, dict) else {"description": answer} for status, answer in answers.items()
    }
    return {"summary": summary, "description": description, "responses": told, "security": [], **more}


def _token() -> dict[str, Any]:
    words = "From the mailbox's page; it names the mailbox."
    return {"name": "token", "in": "path", "required": True, "description": words, "schema": {"type": "string"}}


def _events(**more: Any) -> dict[str, Any]:
    example = [
        {"event": "delivered", "email": "ada.lovelace@acme.example", "timestamp": 1796029200, "sg_event_id": "b2x-1"}
    ]
    content = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}, "example": example}}
    return _operation(
        "Events of mails, from SendGrid",
        f"{_SIGNED} Each event counts once, in whatever order they come.",
        {
            204: "Stored; worked on at once by the worker.",
            400: "Not a list of events.",
            401: "The signature is missing, wrong or older than SendGrid would send it.",
            413: "Larger than 5 MB.",
            503: "Not stored: send it again.",
        },
        requestBody={"required": True, "content": content},
        **more,
    )


OUTSIDE: dict[str, dict[str, Any]] = {
    "/api/health": {
        "get": _operation(
            "Health",
            "Whether the database and Redis answer and the required variables are set; below half a second always.",
            {
                200: _health("healthy", "Well; Redis is `not_configured` where there is none.", "healthy"),
                503: _health("degraded", "`degraded` (Redis is down: pages work) or `unhealthy`.", "unhealthy"),
            },
        )
    },
    "/api/webhooks/sendgrid": {"post": _events()},
    "/api/webhooks/sendgrid/{token}": {"post": _events(parameters=[_token()])},
    "/api/webhooks/sendgrid/inbound/{token}": {
        "post": _operation(
            "A mail that arrived, from SendGrid's Inbound Parse",
            "With “POST the raw, full MIME message” switched on. The token in the address is the secret.",
            {
                200: "Stored; read and matched by the worker.",
                400: "The field `email` is missing: switch on “POST the raw, full MIME message”.",
                404: "No such mailbox.",
                413: "Larger than 25 MB.",
                503: "Not stored: send it again.",
            },
            parameters=[_token()],
            requestBody={
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {"type": "object", "properties": {"email": {"type": "string"}}},
                        "example": {"email": "From: ada.lovelace@acme.example\r\nSubject: Re: TechExpo\r\n\r\nYes!"},
                    }
                },
            },
        )
    },
}
