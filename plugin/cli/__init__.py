"""The command line: thin commands over the parts that `plugin.assemble` puts together.

`app` the list of commands and what happens on errors · `context` options every command shares · `output` tables and
messages · `progress` bars and plain lines · one file per group of commands.
"""
