"""Who a host is: what control protocols tell of names and hardware addresses, and of the mirror's own place."""
