"""Small neural networks in numpy: voice activity detection and speaker embeddings."""
