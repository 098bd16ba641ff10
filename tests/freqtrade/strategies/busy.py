"""A strategy that trades often and in every way: it is freqtrade that runs this file, in an environment of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from freqtrade.strategy import IStrategy

ALIKE_SECONDS = 8
"""How much longer each of four trades in a row is held."""


class Busy(IStrategy):  # type: ignore[misc]  # its base is in freqtrade's environment, not in ours
    """Enters whenever it may. Held for 12 to 36 s, some are added to, some are left in two parts.

    - ADA's entries ask too little every other minute, and time out.
    - LINK's first exit asks too much, and times out.
    - While there is a file `hold` in its folder it does nothing by itself.
    - Futures: ETH and XRP are sold short.
    """

    INTERFACE_VERSION = 3
    timeframe = "1m"
    startup_candle_count = 5
    minimal_roi = {"0": 10.0}  # noqa: RUF012  # freqtrade's own form
    stoploss = -0.15
    can_short = False
    position_adjustment_enable = True
    process_only_new_candles = True
    use_exit_signal = True
    order_types = {  # noqa: RUF012  # as above
        "entry": "limit",
        "exit": "limit",
        "force_entry": "market",
        "force_exit": "market",
        "emergency_exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.can_short = config["trading_mode"] == "futures"

    @property
    def protections(self) -> list[dict[str, Any]]:
        """One stop-loss locks its pair for a minute."""
        guard = {"lookback_period": 5, "trade_limit": 1, "stop_duration": 1, "only_per_pair": True}
        return [{"method": "StoplossGuard", **guard}]

    def bot_loop_start(self, current_time: datetime, **_: Any) -> None:
        """What was left a moment ago may be entered again."""
        self.unlock_reason("Auto lock")

    def populate_indicators(self, dataframe: Any, metadata: dict[str, Any]) -> Any:
        """None are needed."""
        return dataframe

    def populate_entry_trend(self, dataframe: Any, metadata: dict[str, Any]) -> Any:
        """Always."""
        is_short = self.can_short and metadata["pair"].startswith(("ETH", "XRP"))
        dataframe["enter_short" if is_short else "enter_long"] = 1
        dataframe["enter_tag"] = "falling" if is_short else "rising"
        return dataframe

    def populate_exit_trend(self, dataframe: Any, metadata: dict[str, Any]) -> Any:
        """Never: `custom_exit` does it."""
        return dataframe

    def leverage(self, *_: Any, **__: Any) -> float:
        """Of futures."""
        return 3.0

    def custom_entry_price(self, pair: str, current_time: datetime, proposed_rate: float, side: str, **_: Any) -> float:
        """ADA is asked for too cheaply in every other minute."""
        is_vain = pair.startswith("ADA") and current_time.minute % 2 == 0
        better = 1.05 if side == "short" else 0.95
        return proposed_rate * better if is_vain else proposed_rate

    def custom_exit_price(self, pair: str, trade: Any, proposed_rate: float, **_: Any) -> float:
        """LINK is first offered too dearly."""
        tried = any(order.ft_order_side == trade.exit_side for order in trade.orders)
        is_vain = pair.startswith("LINK") and not tried
        better = 0.95 if trade.is_short else 1.05
        return proposed_rate * better if is_vain else proposed_rate

    def confirm_trade_entry(self, *_: Any, entry_tag: str | None, **__: Any) -> bool:
        """Unless it holds; a person may always."""
        return entry_tag == "force_entry" or not self._holds()

    def custom_exit(self, pair: str, trade: Any, current_time: datetime, **_: Any) -> str | None:
        """After a while that depends on the trade."""
        held = 0.0 if self._holds() else (current_time - trade.open_date_utc).total_seconds()
        return "held long enough" if held > 12 + ALIKE_SECONDS * (trade.id % 4) else None

    def adjust_trade_position(self, trade: Any, current_time: datetime, min_stake: float | None, **_: Any) -> Any:
        """Every second trade is added to once, and half of every third is sold before the rest."""
        held = (current_time - trade.open_date_utc).total_seconds()
        if trade.has_open_orders or held < 4 or self._holds():
            return None
        if trade.id % 2 == 0 and trade.nr_of_successful_entries == 1:
            return trade.stake_amount / 2, "more"
        if trade.id % 3 == 0 and trade.nr_of_successful_exits == 0 and held > 8:
            return -trade.stake_amount / 2, "half"
        return None

    def _holds(self) -> bool:
        return bool((self.config["user_data_dir"] / "hold").exists())
