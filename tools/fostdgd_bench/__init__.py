"""What the tools of docs/fostdgd.md share: data, and the same network trained through time."""
