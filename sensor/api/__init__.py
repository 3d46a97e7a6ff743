"""What the daemon answers over HTTP: metrics for Prometheus, tables for the command line."""
