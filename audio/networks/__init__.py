"""Small neural networks on numpy: voice activity and speaker embeddings."""
