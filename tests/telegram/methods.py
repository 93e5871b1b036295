"""What each method of the Bot API does to the world, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.telegram.texts import parsed
from tests.telegram.world import MOST_DOWNLOAD, OLDEST_CALLBACK, Chat, Refused, Thing, World, shown

Params = dict[str, Any]
Played = Callable[[World, Params], Any]

NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


# -- sending ------------------------------------------------------------------------------------


def _send(world: World, params: Params, content: Thing) -> Thing:
    chat = world.chat(params["chat_id"])
    message = world.place(chat, world.bot_card, {**_manner(chat, params), **content})
    chat.unheard.append(message)
    return message


def _manner(chat: Chat, params: Params) -> Thing:
    manner: Thing = {}
    answered = params.get("reply_parameters")
    if answered:
        manner |= _reply(chat, answered)
    if params.get("protect_content"):
        manner["has_protected_content"] = True
    if "inline_keyboard" in params.get("reply_markup", {}):
        manner["reply_markup"] = params["reply_markup"]
    if params.get("link_preview_options"):
        manner["link_preview_options"] = params["link_preview_options"]
    return manner


def _reply(chat: Chat, answered: Thing) -> Thing:
    message = chat.messages.get(answered["message_id"])
    if message is not None:
        shallow = {name: each for name, each in message.items() if name != "reply_to_message"}
        return {"reply_to_message": shallow}
    if answered.get("allow_sending_without_reply"):
        return {}
    raise Refused(400, "Bad Request: message to be replied not found")


def _written(given: Params, name: str) -> Thing:
    """Text or caption with its entities, as the message carries them."""
    if not given.get(name):
        return {}
    own = "entities" if name == "text" else "caption_entities"
    text, entities = parsed(given[name], given.get("parse_mode"), given.get(own))
    written: Thing = {name: text.rstrip()}
    return {**written, own: entities} if entities else written


def send_message(world: World, params: Params) -> Thing:
    return _send(world, params, _written(params, "text"))


def send_file(kind: str) -> Played:
    """The method that sends a file of this kind."""

    def send(world: World, params: Params) -> Thing:
        world.chat(params["chat_id"])
        content = _filed(world, kind, params[kind], params)
        return _send(world, params, content)

    return send


def _filed(world: World, kind: str, given: Any, params: Params) -> Thing:
    content: Thing = {kind: shown(kind, world.upload(kind, given)), **_written(params, "caption")}
    if params.get("has_spoiler"):
        content["has_media_spoiler"] = True
    if kind == "animation":
        content["document"] = shown("document", world.upload(kind, content[kind]["file_id"]))
    return content


def send_media_group(world: World, params: Params) -> list[Thing]:
    world.chat(params["chat_id"])
    album = {"media_group_id": str(13_000_000_000_000_000 + next(world.serials))}
    filed = [_filed(world, item["type"], item["media"], item) for item in params["media"]]
    return [_send(world, params, {**album, **content}) for content in filed]


def _location(params: Params) -> Thing:
    return {"latitude": params["latitude"], "longitude": params["longitude"]}


def send_location(world: World, params: Params) -> Thing:
    return _send(world, params, {"location": _location(params)})


def send_venue(world: World, params: Params) -> Thing:
    named = {"title": params["title"], "address": params["address"]}
    venue = {"location": _location(params), **named}
    return _send(world, params, {"venue": venue, "location": venue["location"]})


def send_contact(world: World, params: Params) -> Thing:
    named = ("phone_number", "first_name", "last_name", "vcard")
    return _send(world, params, {"contact": {n: params[n] for n in named if n in params}})


def send_chat_action(world: World, params: Params) -> bool:
    world.chat(params["chat_id"])
    return True


# -- changing what was sent ---------------------------------------------------------------------


def _own(world: World, params: Params) -> tuple[Chat, Thing]:
    if "inline_message_id" in params:
        raise Refused(400, "Bad Request: MESSAGE_ID_INVALID")
    chat = world.chat(params["chat_id"])
    message = chat.messages.get(params["message_id"])
    if message is None:
        raise Refused(400, "Bad Request: message to edit not found")
    if message.get("from") != world.bot_card:
        raise Refused(400, "Bad Request: message can't be edited")
    return chat, message


def _changed(world: World, chat: Chat, old: Thing, new: Thing) -> Thing:
    if {**new, "edit_date": None} == {**old, "edit_date": None}:
        raise Refused(400, NOT_MODIFIED)
    new["edit_date"] = world.today
    chat.messages[new["message_id"]] = new
    return new


def _without(message: Thing, *names: str) -> Thing:
    return {name: value for name, value in message.items() if name not in names}


def _markup(params: Params) -> Thing:
    return {"reply_markup": params["reply_markup"]} if params.get("reply_markup") else {}


def edit_text(world: World, params: Params) -> Thing:
    chat, old = _own(world, params)
    if "text" not in old:
        raise Refused(400, "Bad Request: there is no text in the message to edit")
    kept = _without(old, "text", "entities", "reply_markup")
    new = _changed(world, chat, old, {**kept, **_written(params, "text"), **_markup(params)})
    chat.unheard.append(new)
    return new


def edit_caption(world: World, params: Params) -> Thing:
    chat, old = _own(world, params)
    kept = _without(old, "caption", "caption_entities", "reply_markup")
    new = {**kept, **_written(params, "caption"), **_markup(params)}
    return _changed(world, chat, old, new)


def edit_markup(world: World, params: Params) -> Thing:
    chat, old = _own(world, params)
    return _changed(world, chat, old, {**_without(old, "reply_markup"), **_markup(params)})


def delete_message(world: World, params: Params) -> bool:
    chat = world.chat(params["chat_id"])
    if chat.messages.pop(params["message_id"], None) is None:
        raise Refused(400, "Bad Request: message to delete not found")
    return True


def delete_messages(world: World, params: Params) -> bool:
    chat = world.chat(params["chat_id"])
    for id in params["message_ids"]:
        chat.messages.pop(id, None)
    return True


def answer_callback(world: World, params: Params) -> bool:
    pressed = world.callbacks.get(params["callback_query_id"])
    if pressed is None or world.now() - pressed > OLDEST_CALLBACK:
        raise Refused(400, TOO_OLD)
    world.toasts.append(params)
    return True


# -- files --------------------------------------------------------------------------------------


def get_file(world: World, params: Params) -> Thing:
    file = world.files.get(params["file_id"].rpartition("-")[0] or params["file_id"])
    if file is None:
        raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    if file.size > MOST_DOWNLOAD:
        raise Refused(400, "Bad Request: file is too big")
    return {
        "file_id": params["file_id"],
        "file_unique_id": file.unique,
        "file_size": file.size,
        "file_path": file.path,
    }


# -- the bot of itself --------------------------------------------------------------------------


def get_me(world: World, params: Params) -> Thing:
    return world.bot


def _where(params: Params) -> tuple[str, str]:
    scope = params.get("scope") or {"type": "default"}
    return repr(sorted(scope.items())), params.get("language_code", "")


def set_commands(world: World, params: Params) -> bool:
    world.commands[_where(params)] = params["commands"]
    return True


def get_commands(world: World, params: Params) -> list[Thing]:
    return world.commands.get(_where(params), [])


def delete_commands(world: World, params: Params) -> bool:
    world.commands.pop(_where(params), None)
    return True


def set_words(name: str) -> Played:
    """The method that sets the bot's name or one of its descriptions."""

    def set_(world: World, params: Params) -> bool:
        world.words[name, params.get("language_code", "")] = params.get(name, "")
        return True

    return set_


def get_words(name: str, otherwise: str = "") -> Played:
    """The method that gives them: in this language, else as they are in every other."""

    def get(world: World, params: Params) -> Thing:
        general = world.words.get((name, ""), "") or otherwise
        own = world.words.get((name, params.get("language_code", "")), "")
        return {name: own or general}

    return get


def get_chat(world: World, params: Params) -> Thing:
    card = world.chat(params["chat_id"]).card
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    accepted = dict.fromkeys((*gifts, "gifts_from_channels"), False)
    colour = {"accent_color_id": 1, "max_reaction_count": 11}
    return {**card, **colour, "accepted_gift_types": accepted}


def leave_chat(world: World, params: Params) -> bool:
    chat = world.chat(params["chat_id"])
    if chat.private:
        raise Refused(400, "Bad Request: chat member status can't be changed in private chats")
    chat.left = True
    return True


FILES = ("photo", "document", "video", "audio", "voice", "animation", "video_note", "sticker")


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


METHODS: dict[str, Played] = {
    "getMe": get_me,
    "sendMessage": send_message,
    **{f"send{_camel(kind)}": send_file(kind) for kind in FILES},
    "sendMediaGroup": send_media_group,
    "sendLocation": send_location,
    "sendVenue": send_venue,
    "sendContact": send_contact,
    "sendChatAction": send_chat_action,
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "editMessageReplyMarkup": edit_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback,
    "getFile": get_file,
    "setMyCommands": set_commands,
    "getMyCommands": get_commands,
    "deleteMyCommands": delete_commands,
    "setMyName": set_words("name"),
    "setMyDescription": set_words("description"),
    "setMyShortDescription": set_words("short_description"),
    "getMyName": get_words("name", "Lắng Nghe (thử)"),
    "getMyDescription": get_words("description"),
    "getMyShortDescription": get_words("short_description"),
    "getChat": get_chat,
    "leaveChat": leave_chat,
}


def messages_in(method: str, params: Params) -> int:
    """How many messages a call costs of what may be sent in a second."""
    if method == "sendMediaGroup":
        return len(params["media"])
    counted = method.startswith(("send", "copy", "forward", "editMessage"))
    return int(counted and method != "sendChatAction")
