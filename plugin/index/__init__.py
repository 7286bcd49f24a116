"""The embedding index: who is near? Disposable, because the catalogue holds every embedding.

Read in this order: `exact` (NumPy, always right), `chroma` (the index on disk, fast for large libraries), `folder` and
`probe` (is that folder safe to open?), `serving` (who answers now), `building` (from any folder to a sound one), and
`guarded`, which the product uses: Chroma when it is sound, exact otherwise.
Why it is built like this: docs/decisions/chroma-is-a-disposable-index.md.
"""
