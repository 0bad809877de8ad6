"""What each stored status word looks like: the same word means the same thing in every app."""

_LOOKS = {
    ("", "circle"): "new not_started unassigned lead prospecting",
    ("", "edit"): "draft drafted",
    ("", "ban"): "disqualified",
    ("", "check"): "unchanged",
    ("", "minus"): "skipped",
    ("", "pause"): "inactive archived",
    ("", "x"): "cancelled canceled stopped closed",
    ("info", "calendar"): "booked confirmed",
    ("info", "check"): "approved delivered",
    ("info", "circle"): "open",
    ("info", "click"): "clicked",
    ("info", "columns"): "mapping mapped",
    ("info", "edit"): "updated update",
    ("info", "eye"): "opened preview previewing previewed",
    ("info", "mail"): "contacted outreach",
    ("info", "merge"): "merged",
    ("info", "refresh"): "running importing processing",
    ("info", "reply"): "engaged",
    ("info", "search"): "researching researched identified targeted",
    ("info", "send"): "sent",
    ("ok", "calendar"): "meeting meeting_booked meeting_scheduled",
    ("ok", "check"): "checked_in qualified accepted done finished succeeded verified healthy imported scored",
    ("ok", "check-circle"): "held completed meeting_held attended",
    ("ok", "link"): "connected",
    ("ok", "play"): "active",
    ("ok", "plus"): "created create",
    ("ok", "reply"): "replied responded",
    ("ok", "target"): "opportunity",
    ("ok", "trophy"): "won customer",
    ("warn", "alert"): "unverified degraded partial",
    ("warn", "ban"): "unsubscribed suppressed blocked",
    ("warn", "clock"): "queued scheduled requested proposed pending waiting expired nurture follow_up uploaded",
    ("warn", "copy"): "duplicate",
    ("warn", "help"): "unknown tentative",
    ("warn", "mail"): "invited",
    ("warn", "pause"): "paused",
    ("warn", "send"): "sending",
    ("bad", "alert"): "failed error bounced complained spam overdue disconnected dropped",
    ("bad", "ban"): "revoked",
    ("bad", "x"): "rejected reject declined",
    ("bad", "x-circle"): "lost no_show",
}

STATUSES: dict[str, tuple[str, str]] = {word: look for look, words in _LOOKS.items() for word in words.split()}
"""A status word in lower case with underscores → (tone, icon)."""


def look_of(status: str) -> tuple[str, str]:
    """Tone and icon of a status word, however it is spelled; a plain circle for an unknown one."""
    return STATUSES.get(str(status).lower().replace("-", "_").replace(" ", "_"), ("", "circle"))
