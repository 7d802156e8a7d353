"""Slow twin of the byte formats: written from the specification, sharing no code with the Rust crates."""
