"""How a stage fans out; results always come back in input order."""
