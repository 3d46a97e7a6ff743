"""Finding packets in the ring: questions, times as people write them, and the search itself."""
