"""An exchange of the tests' own: as much of Binance's public API, spot and futures, as a dry-run asks for."""
