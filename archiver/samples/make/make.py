#!/usr/bin/env python3
"""Makes the samples again, byte for byte.

    sudo apt-get install fonts-morisawa-bizud-gothic fonts-morisawa-bizud-mincho
    pip install -r requirements.txt
    python3 make.py            # writes into the folder above
"""

import sys
from pathlib import Path

import contract
import invoice
import log
import receipt
import scan


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    for sample in (invoice, receipt, contract, scan, log):
        sample.write(folder)


if __name__ == "__main__":
    main()
