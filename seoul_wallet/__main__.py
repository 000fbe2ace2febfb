"""`python -m seoul_wallet` is the command line."""

from seoul_wallet.cli import main

if __name__ == "__main__":
    main()
