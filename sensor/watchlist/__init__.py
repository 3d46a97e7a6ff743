"""Watchlists: files of indicators found, read and handed to the core; one module a feed format."""

from sensor.watchlist.store import Loaded, StaleList, WatchlistStore

__all__ = ["Loaded", "StaleList", "WatchlistStore"]
