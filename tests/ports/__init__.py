"""What each port promises, run on every adapter that implements it."""
