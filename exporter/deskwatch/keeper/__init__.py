"""The keeper: a small process between a sidecar and the bot that it runs, a parent to all of the bot's processes.

It takes in the bot's output and writes it to rotated files, so that the death of a sidecar takes no pipe from under the
bot. It sees the sidecar's end (its stdin ends then) and ends the bot, unless it was told to let the bot live. Whatever
the bot starts stays below it, also what makes a session of its own or loses its parent, so that all of it is found.
"""
