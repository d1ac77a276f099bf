"""`python -m understudy`: the command `understudy`."""

import sys

from understudy.cli import main

sys.exit(main())
