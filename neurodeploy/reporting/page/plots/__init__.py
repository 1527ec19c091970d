"""One plot a file: from numbers to the marks of a `Chart`."""
