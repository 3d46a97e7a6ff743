"""Interfaces, filters and the portable capture source, through libpcap's Python binding (pypcap or pcap-ct)."""
