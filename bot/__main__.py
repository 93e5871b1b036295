"""`python -m bot` is `langnghe`."""

from bot.program import main

main()
