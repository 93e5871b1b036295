"""What both sides of the Bot Platform's line go by: the channel, its limits, what is in doubt."""

import re

CHANNEL = "zalobot"
LONGEST = 2000  # UTF-16 units of a text or a caption
USERS, MESSAGES = 50, 3000  # people a bot serves, messages a month, of the free plan
# Ids are opaque strings; whatever is none of these cannot have come from Zalo.
ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
