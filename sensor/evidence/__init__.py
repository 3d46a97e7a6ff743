"""Evidence: the packets of each incident, cut out of the ring before it rotates them away."""
