"""An exchange of the tests' own: as much of Binance's public API, spot and USD-margined futures, as a dry-run asks for."""
