"""An arbitrage bot on a local EVM chain: the demo of deskwatch, and the tutorial's example of a bot that uses it.

Two programs: `python -m arbitrage_bot.chain` runs a chain with two pools and other traders, and `python -m
arbitrage_bot` runs the bot, an ordinary web3 client that could as well be pointed at anvil or a testnet.
"""

__version__ = "1.0.0"
