"""Readers: each turns one kind of file into a `Graph` without executing it or loading its weights."""
