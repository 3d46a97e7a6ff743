"""`spanwatch top`: the live screen."""
