"""What depends on no sample is computed while importing, within a budget."""
