"""The parts of tools/fuzz_files.py: seed files, mutations, and what is done with a file."""
