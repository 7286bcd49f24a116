"""The disposable embedding index: Chroma, and an exact NumPy search that answers while Chroma is rebuilt."""
