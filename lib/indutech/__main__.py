"""The command line: `indutech`, or `python -m indutech` where its script is not on the PATH."""

import sys

from indutech.system import signals


def main() -> None:
    """Run a command; a signal that comes while its modules are still read is no traceback either."""
    try:
        with signals.interruptible():
            from indutech.cli.app import app

            app()
    except KeyboardInterrupt:
        print(signals.STOPPED, file=sys.stderr)
        sys.exit(130)
    finally:
        signals.default_from_now_on()  # Python's own exit takes a moment too


if __name__ == "__main__":
    main()
