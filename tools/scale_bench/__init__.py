"""Networks of the size that ImageNet needs, and their measurement (`tools/bench_scale.py`)."""
