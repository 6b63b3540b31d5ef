"""Whether pictures come out of the program in this container. Exit code 0 or 1. Standard library only.

Reads one picture from the page that `--sink http://127.0.0.1:8090/TOKEN` shows; another address goes into
FACEFUSION_LIVE_HEALTH.
"""

import os
import sys
import urllib.error
import urllib.request

ADDRESS = os.environ.get("FACEFUSION_LIVE_HEALTH", "http://127.0.0.1:8090/container-health-check")
_PATIENCE_S = 5
_JPEG = b"\xff\xd8\xff"


def main() -> int:
    """Look for the beginning of a JPEG."""
    try:
        with urllib.request.urlopen(ADDRESS, timeout=_PATIENCE_S) as answer:  # noqa: S310 (an address of our own)
            read = answer.read(4096)
    except (OSError, urllib.error.URLError) as error:
        print(f"no picture: {error}")
        return 1
    if _JPEG not in read:
        print("an answer without a picture")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
