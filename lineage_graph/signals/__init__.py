"""One small file per kind of evidence; signals measure and never judge."""
