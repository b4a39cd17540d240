"""What the tests of forking run: tells about itself, then does as its argument says."""

import json
import os
import signal
import sys
import time

from chassis.ids import new_id, new_secret

print(
    json.dumps(
        {
            "pid": os.getpid(),
            "group": os.getpgid(0),
            "ids": [new_id(), new_secret()],
            "word": os.environ.get("WORD"),
            "home": os.environ.get("HOME"),
            "argument": sys.argv[1],
            "name": __name__,
        }
    ),
    flush=True,
)
if sys.argv[1] == "fail":
    sys.exit(3)
if sys.argv[1] == "complain":
    sys.exit("no such thing")
if sys.argv[1] == "raise":
    raise LookupError("unheard of")
if sys.argv[1] == "stay":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    time.sleep(600)
