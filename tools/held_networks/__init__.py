"""Networks of other kinds than those neurodeploy was made with, for a tool."""
