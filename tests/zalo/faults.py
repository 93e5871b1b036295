"""What goes wrong at Zalo: errors inside HTTP 200, and everything any platform's faults can do."""

from __future__ import annotations

from tests.doubles.faults import (
    RESET_EXECUTED,
    RESET_UNREAD,
    Fault,
    Script,
    broken,
    hang,
    slow,
)

NAMES = {
    -32: "Rate limit exceeded",
    -100: "Attachment is expired",
    -200: "Send message failed",
    -201: "Param is invalid",
    -204: "OA is deleted",
    -205: "OA does not exist",
    -209: "App is not active",
    -210: "Param exceeds the limit",
    -211: "Quota exceeded",
    -212: "OA has not been registered for this API",
    -213: "User has not followed OA",
    -216: "Access token is invalid",
    -217: "User has blocked OA",
    -218: "Quota of user to receive messages exceeded",
    -219: "App has been removed",
    -220: "Access token has expired",
    -221: "OA is not verified",
    -223: "OA has not been granted this API",
    -224: "OA needs to buy a tier package",
    -227: "User has been inactive for more than 45 days",
    -230: "User has not interacted with OA in the past 7 days",
    -232: "User has not interacted with OA, or the interaction has expired",
    -233: "Message type is not supported",
    -234: "Message cannot be sent at night",
    -235: "OA type does not support this API",
    -237: "Group has expired",
    -240: "API v2 has been shut down",
    -242: "appsecret_proof is invalid",
    -244: "User has restricted this type of message",
    -248: "Message violates the policy",
    -320: "App has no Zalo Cloud Account",
    -321: "Zalo Cloud Account is out of credit",
    -14002: "App is inactive",
    -14003: "Redirect uri is invalid",
    -14004: "App id is invalid",  # the documents name no code for this; neither for the next two
    -14006: "Secret key is invalid",
    -14010: "Authorization code is invalid",
    -14020: "Invalid refresh token",
}


def error(code: int, executed: bool = False) -> Fault:
    """An answer of the Official Account's API with HTTP 200 and this error in its body."""
    return Fault(told=NAMES[code], parameters={"error": code}, executed=executed)


TOKEN_INVALID, TOKEN_EXPIRED = error(-216), error(-220)
OVER_SEVEN_DAYS, NEVER_SPOKE = error(-230), error(-232)
NOT_FOLLOWING, BLOCKED, RESTRICTED, INACTIVE = error(-213), error(-217), error(-244), error(-227)
QUOTA, RATE, TIER, TOO_LONG, BAD_PARAMETER = (error(x) for x in (-211, -32, -224, -210, -201))
FAILED, NIGHT, UNSUPPORTED = error(-200), error(-234), error(-233)


def refused(code: int, told: str = "") -> Fault:
    """An error of the Bot Platform: 400, 401, 403, 404, 408, 429."""
    names = {403: "Internal Server Error", 408: "Request timeout", 429: "Quota exceeded"}
    return Fault(status=code, told=told or names.get(code, "Bad Request"))


FLOOD, INTERNAL = refused(429), refused(403)

# Of files (method "download").
GONE = Fault(status=404, told="Not Found", body=b"")


def redirect(to: str) -> Fault:
    """The file lies elsewhere: somewhere it must not be fetched from."""
    return Fault(status=302, body=b"", headers={"Location": to})


__all__ = [
    "BAD_PARAMETER",
    "BLOCKED",
    "FAILED",
    "FLOOD",
    "GONE",
    "INACTIVE",
    "INTERNAL",
    "NAMES",
    "NEVER_SPOKE",
    "NIGHT",
    "NOT_FOLLOWING",
    "OVER_SEVEN_DAYS",
    "QUOTA",
    "RATE",
    "RESET_EXECUTED",
    "RESET_UNREAD",
    "RESTRICTED",
    "TIER",
    "TOKEN_EXPIRED",
    "TOKEN_INVALID",
    "TOO_LONG",
    "UNSUPPORTED",
    "Fault",
    "Script",
    "broken",
    "error",
    "hang",
    "redirect",
    "refused",
    "slow",
]
