"""`python -m sensor.cli`, for where the `spanwatch` script is not installed."""

import sys

from sensor.cli.main import main

sys.exit(main())
