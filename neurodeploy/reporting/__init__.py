"""Tables, progress and descriptions for people and scripts."""
