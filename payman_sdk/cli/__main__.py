"""`python -m payman_sdk.cli`: the `payman` command, where its script is not on the PATH."""

import sys

from payman_sdk.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
