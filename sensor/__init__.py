"""spanwatch: a network sensor for a mirror port that names the host behind the traffic."""

__version__ = "0.1.0"
