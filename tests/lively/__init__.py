"""Three bots that trade, borrow, predict, fail and recover: every type of event and every metric, at a steady pace.

    arb-1   arbitrage between two pools of a chain; supervised; crashes once and comes back in a new version
    carry-1 holds spot against perpetuals at two venues for the funding
    sage-1  asks models, and bets on what they say
    old-1   stopped long ago; its journal is damaged

`python -m tests.lively --home H --port 9464` runs them beside a sidecar, with an operator who commands them.
"""
