"""A Zalo Official Account that stands in for Zalo's: OpenAPI v3, OAuth v4, webhook, windows.

with OfficialAccount() as oa:             # in the test process, a thread of its own
    an = oa.person("An")
    an.say("xin chào")                    # the program under test runs against oa.url
    assert "Kính chào" in an.wait("Kính chào")[0].text
    assert oa.violations == []
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import hmac
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import orjson
from aiohttp import web

from tests.doubles.faults import Fault
from tests.doubles.wire import Upload
from tests.zalo import rules
from tests.zalo.double import Call, Double, Refused, json
from tests.zalo.faults import NAMES
from tests.zalo.grants import Denied, Grants, Pair
from tests.zalo.hooks import Event
from tests.zalo.payloads import filled, has
from tests.zalo.people import Heard, Line, Person, Thing
from tests.zalo.shelf import File

HOUR, DAY = 3600.0, 86_400.0
FREE, PAID = 48 * HOUR, 7 * DAY  # since somebody's last word
UPLOAD_LIFE = 7 * DAY
RATE = 4000  # calls a minute and app
_FILE = "message.attachments.0.payload."
# What each act is as an event, and where in it stands what was said.
EVENTS: dict[str, tuple[str, dict[str, str]]] = {
    "text": ("user_send_text", {"text": "message.text"}),
    "quoting": (
        "user_send_text.quoting",
        {"text": "message.text", "quoting": "message.quote_msg_id"},
    ),
    "image": (
        "user_send_image",
        {"url": f"{_FILE}url", "thumbnail": f"{_FILE}thumbnail", "text": "message.text"},
    ),
    "location": (
        "user_send_location",
        {
            "latitude": f"{_FILE}coordinates.latitude",
            "longitude": f"{_FILE}coordinates.longitude",
            "text": "message.text",
        },
    ),
    "audio": ("user_send_audio", {"url": f"{_FILE}url"}),
    "video": (
        "user_send_video",
        {"url": f"{_FILE}url", "thumbnail": f"{_FILE}thumbnail", "text": f"{_FILE}description"},
    ),
    "file": (
        "user_send_file",
        {name: f"{_FILE}{name}" for name in ("url", "size", "name", "checksum", "type")},
    ),
    "gif": ("user_send_gif", {"url": f"{_FILE}url", "thumbnail": f"{_FILE}thumbnail"}),
    "sticker": ("user_send_sticker", {"id": f"{_FILE}id", "url": f"{_FILE}url"}),
    "link": ("user_send_link", {"url": f"{_FILE}url", "text": "message.text"}),
    "card": ("user_send_business_card", {"description": f"{_FILE}description"}),
    "follow": ("follow", {}),
    "unfollow": ("unfollow", {}),
    "info": ("user_submit_info", {"name": "info.name", "phone": "info.phone"}),
    "received": ("user_received_message", {"message": "message.msg_id"}),
    "seen": ("user_seen_message", {"messages": "message.msg_ids"}),
    "reacted": (
        "user_reacted_message",
        {"message": "message.msg_id", "icon": "message.react_icon"},
    ),
    "chatnow": ("user_click_chatnow", {}),
    "withdraw": ("user_withdraw", {}),
}
WITHOUT_ID = ("received", "seen", "reacted")  # they name another message's id
ROUTES = {
    ("GET", "/v4/oa/permission"): "permission",
    ("POST", "/v4/oa/access_token"): "token",
    ("POST", "/v3.0/oa/message/cs"): "message/cs",
    ("POST", "/v2.0/oa/message"): "message",
    ("POST", "/v2.0/oa/upload/image"): "upload/image",
    ("POST", "/v2.0/oa/upload/file"): "upload/file",
    ("POST", "/v2.0/oa/upload/gif"): "upload/gif",
    ("GET", "/v2.0/oa/getoa"): "getoa",
    ("GET", "/v3.0/oa/user/detail"): "user/detail",
    ("POST", "/v3.0/oa/quota/message"): "quota/message",
}
CARD: Thing = {
    "name": "Lắng Nghe (thử)",
    "description": "",
    "oa_alias": "langnghe",
    "oa_type": 4,
    "cate_name": "Cơ quan nhà nước",
    "num_follower": 10,
    "is_verified": True,
    "package_name": "Nâng cao",
    "package_valid_through_date": "31/12/2027",
}


@dataclass
class OfficialAccount(Double):
    """The double of an Official Account; `Double` tells of clocks and retries.

    `buttons`: it takes buttons. `proof`: it wants appsecret_proof. `callback`: the only address a
    consent may come back to. `tier`: messages left for those silent for more than 48 hours, None
    where each is paid for. `quota`: answers tell of it. `echoes`: what we send comes back as
    oa_send_* events. `timestamps`: how events tell the time.
    """

    app_id: str = "102719276611582260"
    app_secret: str = "Bi-mat-cua-ung-dung-01"
    oa_id: str = "1423847451268726170"
    oa_secret: str = "Khoa-ky-webhook-02"
    buttons: bool = False
    proof: bool = False
    callback: str = ""
    tier: int | None = None
    quota: bool = True
    echoes: bool = True
    timestamps: Literal["string", "number", "seconds"] = "string"
    card: Thing = field(default_factory=lambda: dict(CARD))
    uploads: dict[str, tuple[File, str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.grants = Grants(self.wall)
        self.owners: dict[str, Person] = {}
        self.conversations: dict[str, Person] = {}
        self.rate = 0
        self._called_at: deque[float] = deque()

    # -- the grant ------------------------------------------------------------------------------

    def pair(self) -> Pair:
        """A pair as the console's own tool makes it, to be imported by hand."""
        with self.changed:
            return self.grants.give()

    def consent(self, url: str) -> str:
        """An admin follows the link to the consent page and agrees: where they are sent back to.

        Raises AssertionError where the link is not what Zalo's page takes.
        """
        parts = urlsplit(url)
        assert parts.path == "/v4/oa/permission", f"no consent page: {url}"
        with self.changed:
            return self._consent(dict(parse_qsl(parts.query)))

    def _consent(self, asked: Thing) -> str:
        strange = set(asked) - {"app_id", "redirect_uri", "code_challenge", "state"}
        assert not strange, f"the consent page knows no {strange}"
        assert asked.get("app_id") == self.app_id, "another app"
        back = asked.get("redirect_uri", "")
        assert back and back == (self.callback or back), "error -14003: redirect_uri mismatch"
        code = self.grants.consent(asked.get("code_challenge"))
        told = {"oa_id": self.oa_id, "code": code, **_some(asked, "state")}
        return f"{back}{'&' if '?' in back else '?'}{urlencode(told)}"

    # -- what people do -------------------------------------------------------------------------

    def new_id(self) -> str:
        """Beyond 2^53, as real ones are."""
        return str(2_512_523_625_000_000_000 + next(self.serials) * 7_919)

    def anonymous(self, name: str) -> Person:
        """Somebody who writes from a web page's widget, without an account."""
        with self.changed:
            person = self.person(name, self.new_message())
            self.conversations.setdefault(person.id, person)
            return person

    def conversation_of(self, person: Person) -> str:
        """The conversation an answer to somebody anonymous has to name."""
        return hashlib.sha256(person.id.encode()).hexdigest()[:20]

    def happened(self, person: Person, kind: str, said: Thing) -> str:
        body, message = self._body(person, kind, said)
        if message:
            self.owners[message] = person
        person.events.append(self.event(body, person.id, message))
        return message

    def _body(self, person: Person, kind: str, said: Thing) -> tuple[Thing, str]:
        said = _as_said(dict(said))
        kind = "quoting" if said.get("quoting") else kind
        assert kind in EVENTS, f"nobody can do this at an Official Account: {kind}"
        event, places = EVENTS[kind]
        if person.id in self.conversations:
            event = event.replace("user_send", "anonymous_send")
        values = {places[name]: value for name, value in said.items() if name in places}
        name = f"oa.{event}"
        message = ""
        if has(name, "message.msg_id") and kind not in WITHOUT_ID:
            message = values["message.msg_id"] = self.new_message()
        return filled(name, {**self._frame(name, person), **values}), message

    def _frame(self, name: str, person: Person) -> Thing:
        """What every event says: whose app, when, from whom to whom."""
        ours = name.startswith("oa.oa_send")
        sender, to = (self.oa_id, person.id) if ours else (person.id, self.oa_id)
        known = {
            "app_id": self.app_id,
            "timestamp": self._stamp(),
            "user_id_by_app": str(int(hashlib.sha256(person.id.encode()).hexdigest()[:15], 16)),
            "sender.id": sender,
            "recipient.id": to,
            "follower.id": person.id,
            "user_id": person.id,
            "oa_id": self.oa_id,
            "message.conversation_id": self.conversation_of(person),
        }
        return {path: value for path, value in known.items() if has(name, path)}

    def _stamp(self) -> str | int:
        now = int(self.wall() * 1000)
        return {"string": str(now), "number": now, "seconds": str(now // 1000)}[self.timestamps]

    def staff_says(self, person: Person, text: str) -> str:
        """An officer types to somebody in the account's own inbox."""
        with self.changed:
            return self._echoed("oa_send_text.staff", person, {"message.text": text}, staff=True)

    def _echoed(self, event: str, person: Person, values: Thing, staff: bool = False) -> str:
        name, message = f"oa.{event}", values.pop("message.msg_id", "") or self.new_message()
        body = filled(name, {**self._frame(name, person), "message.msg_id": message, **values})
        if staff:
            person.hear(Heard(message, values["message.text"], "staff"))
        self.event(body, f"echo {person.id}", message)
        return message

    # -- the webhook ----------------------------------------------------------------------------

    def mac(self, body: bytes) -> str:
        """The header's value for a body, as the documents have it."""
        try:
            stamp = str(orjson.loads(body)["timestamp"])
        except (orjson.JSONDecodeError, LookupError, TypeError):
            stamp = ""
        whole = self.app_id.encode() + body + stamp.encode() + self.oa_secret.encode()
        return f"mac={hashlib.sha256(whole).hexdigest()}"

    def signed(self, event: Event) -> dict[str, str]:
        return {"X-ZEvent-Signature": self.mac(event.body)}

    def gave_up(self) -> None:
        """The app is unsubscribed until somebody switches it on in the console."""
        self.subscribed = False

    def resubscribe(self) -> None:
        """Somebody switches the webhook on again in the console."""
        with self.changed:
            self.subscribed = True

    def ping(self, body: bytes = b"") -> int:
        """The console's test: unsigned, empty or nearly; HTTP's status."""
        return self.post(body, {"Content-Type": "application/json"} if body else None)

    def forged(self, body: Thing, mac: str | None = None) -> int:
        """Call the webhook with a signature that is not ours, or none; HTTP's status."""
        headers = {} if mac is None else {"X-ZEvent-Signature": mac}
        return self.post(orjson.dumps(body), {"Content-Type": "application/json", **headers})

    # -- one call -------------------------------------------------------------------------------

    def limits(self, a_minute: int = RATE) -> None:
        """Hold callers to so many calls a minute; 0 to none."""
        with self.changed:
            self.rate = a_minute
            self._called_at.clear()

    def method_of(self, request: web.BaseRequest) -> str | None:
        return ROUTES.get((request.method, request.path))

    def admit(self, call: Call, request: web.BaseRequest, as_text: bool) -> None:
        with self.changed:
            if call.method in ("permission", "token"):
                self._admit_to_oauth(call, request)
                return
            self._admit_token(request)
            self._spend()
            try:
                self._check(call, as_text)
            except rules.Wrong as wrong:
                self.violate(call.method, wrong.problem)
                raise Refused(wrong.code, NAMES[wrong.code]) from None

    def _admit_to_oauth(self, call: Call, request: web.BaseRequest) -> None:
        if call.method == "permission":
            return
        kind = request.headers.get("Content-Type", "")
        if not kind.startswith("application/x-www-form-urlencoded"):
            self.violate("token", f"a form is wanted, not {kind}")
        if request.headers.get("secret_key") != self.app_secret:
            raise Refused(-14006, NAMES[-14006])
        if call.params.get("app_id") != self.app_id:
            raise Refused(-14004, NAMES[-14004])

    def _admit_token(self, request: web.BaseRequest) -> None:
        token = request.headers.get("access_token")
        fault = self.grants.fault_of(token)
        if fault:
            raise Refused(fault, NAMES[fault])
        if self.proof:
            want = hmac.new(self.app_secret.encode(), (token or "").encode(), "sha256").hexdigest()
            if request.headers.get("appsecret_proof") != want:
                raise Refused(-242, NAMES[-242])

    def _spend(self) -> None:
        now = self.clock()
        while self._called_at and self._called_at[0] <= now - 60:
            self._called_at.popleft()
        if self.rate and len(self._called_at) >= self.rate:
            raise Refused(-32, NAMES[-32])
        self._called_at.append(now)

    def _check(self, call: Call, as_text: bool) -> None:
        given = call.params
        if call.method.startswith("upload/"):
            rules.upload(call.method.removeprefix("upload/"), given)
        elif call.method == "user/detail":
            call.params = rules.named(_json(given.get("data")), "data", {"user_id"})
            call.chat = rules.id_of(call.params["user_id"], "user_id")
        elif call.method == "getoa":
            rules.named(given, "getoa", set())
        elif as_text:
            raise rules.Wrong("the body is no JSON")
        elif call.method == "message/cs":
            self._check_message(call)
        elif call.method == "message":
            self._check_old(call)
        else:
            call.chat = rules.id_of(
                rules.named(given, "quota/message", {"user_id"})["user_id"], "user_id"
            )

    def _check_message(self, call: Call) -> None:
        rules.named(call.params, "body", {"recipient", "message"})
        by, id = rules.recipient(call.params["recipient"])
        owner = self.owners.get(id) if by == "message_id" else None
        call.chat = owner.id if owner else id
        rules.message(call.params["message"], self.buttons)

    def _check_old(self, call: Call) -> None:
        """Of the old address only two things are alive: reactions, and answers to strangers."""
        to = call.params.get("recipient")
        if not isinstance(to, dict):
            raise rules.Wrong("no recipient")
        if "anonymous_id" in to:
            rules.named(call.params, "body", {"recipient", "message"})
            rules.named(to, "recipient", {"anonymous_id", "conversation_id"})
            call.chat = rules.id_of(to["anonymous_id"], "anonymous_id")
            rules.message(call.params["message"], False)
            return
        if "sender_action" not in call.params:
            raise rules.Wrong("API v2 has been shut down", -240)
        rules.named(call.params, "body", {"recipient", "sender_action"})
        call.chat = rules.id_of(rules.named(to, "recipient", {"user_id"})["user_id"], "user_id")
        rules.named(call.params["sender_action"], "action", {"react_icon", "react_message_id"})

    def refused_by(self, fault: Fault) -> Refused:
        if fault.parameters is None:
            return Refused(0, fault.told, {"status": fault.status})
        return Refused(fault.parameters["error"], fault.told)

    def answer(self, call: Call, result: Any) -> web.Response:
        if isinstance(result, web.Response):
            return result
        if call.method == "token":
            return json(result)
        return json({"data": result or {}, "error": 0, "message": "Success"}, headers=self._room())

    def refusal(self, call: Call, refused: Refused) -> web.Response:
        status = refused.more.get("status", 200)
        if status != 200:
            return json({"error": status, "message": refused.told}, status)
        told: Thing = {"error": refused.code, "message": refused.told}
        if call.method in ("token", "permission"):
            name = {"error_name": refused.told, "error_reason": refused.told}
            told = {"error": refused.code, **name, "error_description": refused.told}
        return json(told, headers=self._room())

    def _room(self) -> dict[str, str]:
        if not self.rate:
            return {}
        left = max(self.rate - len(self._called_at), 0)
        return {"X-RateLimit-Limit": str(self.rate), "X-RateLimit-Remain": str(left)}

    # -- what each call does --------------------------------------------------------------------

    async def play(self, call: Call) -> Any:
        content = await self._fetched(call) if call.method == "message/cs" else b""
        with self.changed:
            call.result = self._played(call, content)
            call.executed = True
            self.changed.notify_all()
            return call.result

    def _played(self, call: Call, content: bytes) -> Any:
        if call.method.startswith("upload/"):
            return self._uploaded(call.method.removeprefix("upload/"), call.params["file"])
        plays = {
            "permission": self._page,
            "token": self._token,
            "getoa": lambda call: {"oa_id": self.oa_id, **self.card},
            "user/detail": self._detail,
            "quota/message": self._quota_of,
            "message": self._old,
        }
        if call.method in plays:
            return plays[call.method](call)
        return self._sent(call, content)

    def _page(self, call: Call) -> web.Response:
        try:
            back = self._consent(call.params)
        except AssertionError as wrong:
            return web.Response(status=400, text=str(wrong))
        return web.Response(status=302, headers={"Location": back})

    def _token(self, call: Call) -> Thing:
        given, kind = call.params, call.params.get("grant_type")
        names = {
            "authorization_code": {"code", "app_id", "grant_type", "code_verifier"},
            "refresh_token": {"refresh_token", "app_id", "grant_type"},
        }.get(str(kind))
        if names is None or set(given) != names:
            self.violate("token", f"{kind} with {sorted(given)}")
        try:
            if kind == "authorization_code":
                pair = self.grants.by_code(given.get("code", ""), given.get("code_verifier"))
            else:
                pair = self.grants.by_refresh(given.get("refresh_token", ""))
        except Denied as denied:
            raise Refused(denied.code, NAMES[denied.code]) from None
        left = str(int(pair.until[0] - self.wall() + 0.5))
        return {"access_token": pair.access, "refresh_token": pair.refresh, "expires_in": left}

    def _uploaded(self, kind: str, file: Upload) -> Thing:
        kept = self.shelf.put(file.content, file.name, self.oa_id)
        id = hashlib.sha256(f"{kept.path}".encode()).hexdigest() + "=" * (kind == "file")
        self.uploads[id] = (kept, kind, self.wall() + UPLOAD_LIFE)
        return {"token" if kind == "file" else "attachment_id": id}

    def _known(self, call: Call) -> Person:
        person = self.by_id(call.chat)
        if person is None:
            raise Refused(-201, "user_id is invalid")
        return person

    def _detail(self, call: Call) -> Thing:
        person = self._known(call)
        return {
            "user_id": person.id,
            "display_name": person.name,
            "user_alias": person.name,
            "is_sensitive": False,
            "user_is_follower": person.follows,
            "user_last_interaction_date": _day(person.spoke),
            "avatar": "",
            "shared_info": {},
        }

    def _quota_of(self, call: Call) -> Thing:
        person = self._known(call)
        reply = {"remain": 8 if self._silent(person) <= FREE else 0, "total": 8}
        return {"last_interaction": _day(person.spoke), "cs_reply": reply}

    def _old(self, call: Call) -> Thing:
        if "sender_action" in call.params:
            return {"message_id": call.params["sender_action"]["react_message_id"]}
        person = self.conversations.get(call.chat or "")
        to = call.params["recipient"]
        if person is None or to["conversation_id"] != self.conversation_of(person):
            raise Refused(-201, "conversation_id is invalid")
        message = self.new_message()
        person.hear(Heard(message, call.params["message"].get("text", ""), raw=call.params))
        return {"message_id": message, "anonymous_id": person.id}

    # -- sending --------------------------------------------------------------------------------

    def _silent(self, person: Person) -> float:
        """For how long somebody has said nothing, in seconds."""
        return float("inf") if person.spoke is None else self.wall() - person.spoke

    def _sent(self, call: Call, content: bytes) -> Thing:
        person, message = self._known(call), call.params["message"]
        quota = self._admitted_to(person)
        kind = rules.message(message, self.buttons)
        file = self._attached(kind, message, content)
        if kind == "info":
            title = message["attachment"]["payload"]["elements"][0]["title"]
            heard = Heard("", title, "info")
        else:
            known = {"image": "photo", "file": "document"}.get(kind, kind)
            heard = Heard("", message.get("text", ""), known)
        heard = _with(heard, file, message, self.new_message())
        person.hear(heard)
        if self.echoes:
            self._echo(kind, person, heard, file)
        stamp = str(int(self.wall() * 1000))
        sent: Thing = {"message_id": heard.message_id, "user_id": person.id, "sent_time": stamp}
        return {**sent, **({"quota": quota} if quota and self.quota else {})}

    def _admitted_to(self, person: Person) -> Thing | None:
        """What a message to somebody is counted against. Raises Refused."""
        silent = self._silent(person)
        if person.blocked or person.restricted:
            code = -217 if person.blocked else -244
        elif person.spoke is None:
            code = -232
        elif silent > PAID:
            code = -230
        elif silent > FREE and self.tier is not None and self.tier < 1:
            code = -211
        else:
            return self._counted(silent)
        raise Refused(code, NAMES[code])

    def _counted(self, silent: float) -> Thing | None:
        if silent <= FREE:
            return {"quota_type": "reply", "remain": "8", "total": "8"}
        if self.tier is None:
            return None
        self.tier -= 1
        return {"quota_type": "sub_quota", "remain": str(self.tier), "total": "500"}

    def _attached(self, kind: str, message: Thing, content: bytes) -> File | None:
        """The file a message carries, by id or address. Raises Refused."""
        if kind not in ("image", "gif", "file"):
            return None
        payload = message["attachment"]["payload"]
        if kind == "file":
            id = payload["token"]
        elif "url" in payload["elements"][0]:
            return File("", content, "anh.jpg", len(content), self.oa_id)
        else:
            id = payload["elements"][0]["attachment_id"]
        file, is_a, until = self.uploads.get(id, (None, "", 0.0))
        if file is None or is_a != kind:
            self.violate("message/cs", f"no such {kind} was uploaded")
            raise Refused(-201, NAMES[-201])
        if self.wall() >= until:
            raise Refused(-100, NAMES[-100])
        return file

    async def _fetched(self, call: Call) -> bytes:
        """The picture an address names, fetched as Zalo would. Raises Refused."""
        payload = call.params["message"].get("attachment", {}).get("payload", {})
        url = payload.get("elements", [{}])[0].get("url")
        if url is None:
            return b""
        content = await fetched(url)
        if content is None or len(content) > rules.IMAGE_LIMIT:
            raise Refused(-201, "url is invalid")
        return content

    def _echo(self, kind: str, person: Person, heard: Heard, file: File | None) -> None:
        events = {"image": "oa_send_image", "file": "oa_send_file", "info": "oa_send_list"}
        event = events.get(kind, "oa_send_text")
        values: Thing = {"message.msg_id": heard.message_id}
        if event != "oa_send_file":
            values["message.text"] = heard.text or None
        if file is not None and file.path:
            values[f"{_FILE}url"] = self.url + file.path
        self._echoed(event, person, values)


async def fetched(url: str, media: str = "image/") -> bytes | None:
    """What lies at an address, as a platform's server gets it; None where it is not this kind."""
    timeout = aiohttp.ClientTimeout(total=20)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            content = await answer.read()
            if answer.status == 200 and answer.content_type.startswith(media):
                return content
    return None


def _as_said(said: Thing) -> Thing:
    """What a person did, with what its event says of a file or a card."""
    file = said.pop("file", None)
    if "phone" in said and "name" not in said:
        card = {"phone": said.pop("phone"), "qrCodeUrl": "https://qr-talk.zdn.vn/1/1.jpg"}
        said["description"] = orjson.dumps(card).decode()
    if isinstance(file, File):
        about = {"size": str(file.size), "name": file.name, "checksum": file.checksum}
        said |= {**about, "type": file.name.rpartition(".")[2]}
    return said


def _with(heard: Heard, file: File | None, message: Thing, id: str) -> Heard:
    payload = message.get("attachment", {}).get("payload", {})
    buttons = tuple(
        Line(each["title"], each["payload"])
        for each in payload.get("buttons", ())
        if each["type"].startswith("oa.query")
    )
    content, name = (file.content, file.name) if file else (b"", "")
    return Heard(id, heard.text, heard.kind, content, name, buttons, message)


def _json(value: Any) -> Any:
    try:
        return orjson.loads(value or "")
    except orjson.JSONDecodeError:
        raise rules.Wrong(f"data is no JSON: {value!r}") from None


def _some(given: Thing, *names: str) -> Thing:
    return {name: given[name] for name in names if name in given}


def _day(at: float | None) -> str:
    if at is None:
        return ""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%d/%m/%Y")
