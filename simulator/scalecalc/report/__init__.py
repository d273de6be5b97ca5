"""Results as tables, JSON, CSV and Markdown: rendering only, nothing is computed here."""
