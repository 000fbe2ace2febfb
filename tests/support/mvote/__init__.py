"""A small maker of election records, from docs/voting.md alone, for the tests of `mvote_verify`.

It shares no code with the verifier nor with the project's own voting, so that each is a check on
the other. Voters, trustees and keys are synthetic.
"""
