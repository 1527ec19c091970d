"""Programs on Lava's runtime. Importing this package imports neither Lava nor a compiler."""
