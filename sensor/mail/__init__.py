"""Mail: what the core tells of it, and how it is judged."""
