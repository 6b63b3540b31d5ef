"""Entry point of `facefusion-live` and `python -m facefusion_live`."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from facefusion_live.cli.main import run_command_line  # noqa: PLC0415 (the version check must come first)

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
