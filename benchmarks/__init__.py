"""Speed, as ratios within one run: medians of pairs of times that are taken back to back."""
