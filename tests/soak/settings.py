"""The portal's settings, with a queue that takes a task for lost after seconds instead of minutes,
or the crash test would only wait."""

import tests.settings  # noqa: F401  says what the environment would
from portal.settings import *  # noqa: F403
from portal.settings import Q_CLUSTER, REST_FRAMEWORK

Q_CLUSTER |= {"timeout": 22, "retry": 26}
REST_FRAMEWORK |= {"DEFAULT_THROTTLE_CLASSES": []}
