"""Nextcloud behind the host port: `client` speaks HTTP, `listing` reads folders, `host` is the port."""
