"""The portal's settings as production has them, with what the environment would say."""

import tests.settings  # noqa: F401  says what the environment would
from portal.settings import *  # noqa: F403
