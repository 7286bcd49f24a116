"""Measurements that print ratios; none is asserted. `make bench` runs them all."""
