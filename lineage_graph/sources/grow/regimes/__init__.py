"""The structures of zoos, one regime a function: how many of what are made of what."""
