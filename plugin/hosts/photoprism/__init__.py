"""PhotoPrism behind the host port: `client` speaks HTTP, `photos` reads pages of photos, `markers` are names there."""
