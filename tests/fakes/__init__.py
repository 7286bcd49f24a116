"""One fake per port, fast and deterministic."""
