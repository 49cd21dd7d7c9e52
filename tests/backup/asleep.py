"""A backup that takes for ever: says its number, and sleeps."""

import os
import time
from pathlib import Path

folder = Path(os.environ["HAILONG_BACKUP_FOLDER"])
(folder / "new").write_text(str(os.getpid()))
(folder / "new").rename(folder / "pid")
time.sleep(600)
