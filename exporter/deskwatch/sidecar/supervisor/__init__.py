"""The supervised bot: one configured command, started, stopped, restarted and killed here and nowhere else.

`supervisor` is imported where a bot is supervised only: it is a megabyte that most sidecars need not have.
"""
