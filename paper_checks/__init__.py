"""One short script a law: statement, why, what is run, verdict."""
