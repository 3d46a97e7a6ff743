"""Hunting: which internal hosts met these indicators, as history, live tables and the ring can tell."""
