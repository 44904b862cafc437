"""What the command's exit status means."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # what shells say for Ctrl-C: 128 + SIGINT
