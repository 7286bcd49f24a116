"""The `kinfolk` command, and `python -m plugin`."""

from plugin.cli.app import app


def main() -> None:
    """Run the command line."""
    app(prog_name="kinfolk")


if __name__ == "__main__":
    main()
