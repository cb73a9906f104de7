"""The service from a checkout, nothing of it installed: ``twistd -ny tap.py``.

Takes no options: ``OZGATE_<KEY>`` in the environment sets any key, and ``OZGATE_CONFIG`` names a file of them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from twisted.application.service import Application

from ozgate.service import Options, makeService

options = Options()
options.parseOptions([])
application = Application("ozgate")
makeService(options).setServiceParent(application)
