"""A kind whose library is not installed."""

import surely_not_installed  # type: ignore[import-not-found]  # noqa: F401  as its name says
