"""What both sides of Telegram's line call things: the channel, the updates we ask for."""

CHANNEL = "telegram"
ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]
