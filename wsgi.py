"""What web servers, workers and commands import."""

import gc

# What is loaded now lives as long as the process: a collector that walks it again and again costs a quarter of the
# start, and touching it would unshare the pages that forked jobs share.
gc.disable()

from portal.app import create_app  # noqa: E402

app = create_app()
gc.freeze()
gc.enable()
