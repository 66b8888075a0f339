"""What the limited child knows of archives: strict readers of our own, and nothing that takes long to start."""
