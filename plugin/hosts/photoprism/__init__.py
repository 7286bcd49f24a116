"""PhotoPrism behind the host port: `client` speaks HTTP, `listing` reads pages of photos, `host` is the port."""
