"""`python -m payman_sdk`: the `payman` command, also where its script is not on the PATH."""

import sys

from payman_sdk._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
