"""What hosts reached over HTTP share: the client with its limits, certificates, reading of bodies, fetching ahead.

Nothing here knows a host; what users are told comes from the host's own `Words`.
"""
