"""One file a way to a Program: of ReLU networks, of spiking ones, of lava-dl's integers."""
