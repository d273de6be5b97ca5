"""Distributions of third parties: installed by tests, not tests themselves; one of them cannot be imported."""

collect_ignore_glob = ["*/*"]
