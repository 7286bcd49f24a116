"""The `kinfolk` command, and `python -m plugin`."""

import os

from plugin.cli.app import app


def main() -> None:
    """Run the command line. Whatever it writes (catalogue, queue, backups) is readable by its owner only."""
    os.umask(0o077)
    app(prog_name="kinfolk")


if __name__ == "__main__":
    main()
