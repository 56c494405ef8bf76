"""``python -m modelcard``."""

import sys

from modelcard.command import main

sys.exit(main())
