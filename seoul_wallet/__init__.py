"""Composition: the command line, the demo, local stacks. Nothing imports this package."""
