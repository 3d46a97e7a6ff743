"""`spanwatch doctor`: is the network card prepared, and does the mirror show all that it should."""
