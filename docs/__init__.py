"""The documentation, and what runs its snippets."""
