"""Hosts: the programs that own the photos. One file or folder per host, each obeying `plugin.ports.host.Host`."""
