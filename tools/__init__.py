"""Programs for the people who work on this repository. Nothing that is installed imports them."""
