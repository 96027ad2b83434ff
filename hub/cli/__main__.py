"""``python -m hub.cli`` is the ``cybex`` command, for processes that must run under the very same interpreter."""

from hub.cli import main

main()
