"""Where the network ends: the output taken, and what behind it only reads the class."""
