"""All SQL. The truth, embeddings included."""
