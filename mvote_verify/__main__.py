"""`python -m mvote_verify`."""

from mvote_verify.cli import run

if __name__ == "__main__":
    run()
