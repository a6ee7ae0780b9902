"""The poller's process: python -m millrace_local.mapping --state FOLDER."""

import argparse
import logging
import os
import signal
import threading
from pathlib import Path

from millrace_local.mapping.poller import Poller
from millrace_local.project import EngineFolder
from millrace_mapping.aws.mappings import Mappings
from millrace_mapping.aws.sessions import Sessions


def main() -> None:
    """Poll until SIGTERM, or until the engine is no longer there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the engine's folder")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    folder = EngineFolder(options.state.parent, options.state.name)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    mappings = Mappings(Sessions(os.environ["AWS_ENDPOINT_URL"]))
    Poller(mappings, folder.mapping_state, stopping).run()
    logging.shutdown()
    os._exit(0)  # an invocation in flight is not waited for: its batch comes again


if __name__ == "__main__":
    main()
