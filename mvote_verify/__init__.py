"""An independent verifier of published elections, `mvote-verify`.

Written from docs/voting.md alone: it imports nothing of the wallet, of the services or of the
ballot box, and nothing of the project imports it. What it finds is thus a second opinion. It
reads a folder, asks a node if one is named, and writes nothing but its report (and a file to
resume from, on request).
"""
