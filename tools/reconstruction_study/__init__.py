"""Parts of `tools/study_reconstruction.py`: a task a file, and the baselines."""
