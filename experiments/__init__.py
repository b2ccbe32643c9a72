"""Studies, and the reference results that they make."""
