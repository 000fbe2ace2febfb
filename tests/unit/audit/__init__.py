"""The rules that the audit replays."""
