"""`python -m deskwatch`."""

from __future__ import annotations

import sys

from deskwatch.cli import main

sys.exit(main())
