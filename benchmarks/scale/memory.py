"""The peak of a process's own memory, looked at while it works."""

import threading
from pathlib import Path

__all__ = ["Peak", "anonymous"]

STATUS = Path("/proc/self/status")


def anonymous():
    """Memory of this process that is its own, in bytes: RssAnon of Linux.

    The pages of a memory map count towards the resident size, too, as long as nobody
    else needs the room; they are the file's, and the system takes them back at will.
    """
    for line in STATUS.read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{STATUS} has no RssAnon: this benchmark needs Linux 4.5 or newer.")


class Peak:
    """Context in which the own memory is looked at every 20 ms.

    Attributes
    ----------
    start, peak : int
        Bytes at the begin, and the most since then.
    """

    def __enter__(self):
        self.start = self.peak = anonymous()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self):
        while not self._done.wait(0.02):
            self.peak = max(self.peak, anonymous())

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()
        self.peak = max(self.peak, anonymous())
