"""Attacks on web servers: the rules that the core matches, and what is made of its findings."""
