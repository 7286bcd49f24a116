"""The folder host: photos in a plain folder, on a disk or a mounted network share.

Read in this order: `options` (what a user may choose), `names` (which files are photos), `skipping` (what is left out),
`root` (the only door to the files), `listing` (the walk), `content` (keys that tell whether pixels changed),
`watching` (hints that something changed), `host` (all of it behind the port).

Paths on disk are `bytes` throughout, so a name in any encoding can be walked and shown; keys are `str`.
"""
