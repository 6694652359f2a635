"""The command line of lgraph."""
