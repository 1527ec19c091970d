"""The parts of tools/fuzz_importer.py: seed models, mutations, the oracle and its worker."""
