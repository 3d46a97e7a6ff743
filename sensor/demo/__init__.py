"""`spanwatch demo`: an office and its mirror port in a private network namespace."""
