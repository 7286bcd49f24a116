"""Decoding photos and videos into upright pictures, and cutting thumbnails."""
