"""A model as it was given, read with suspicion: files, tensors, operator sets, schemas."""
