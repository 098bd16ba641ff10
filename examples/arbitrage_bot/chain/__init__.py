"""A local Ethereum chain in one process: py-evm behind JSON-RPC, two pools of our own, and traders that move them."""
