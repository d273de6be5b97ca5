"""A third party's laws that cannot be had."""

raise RuntimeError("no licence")
