"""What the importer says: a finding a node, causes, refusals with remedies, and the sum of it."""
