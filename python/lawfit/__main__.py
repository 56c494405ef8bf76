"""``python -m lawfit`` is the ``lawfit`` command."""

import sys

from lawfit.cli import main

if __name__ == "__main__":
    sys.exit(main())
