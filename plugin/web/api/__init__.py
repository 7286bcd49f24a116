"""The API for programs, under `/api/v1`: the same functions as the pages, as JSON.

Read `resource` first (what every operation has in common), then `access` (who may), `problems` (errors) and `values`
(what goes in and out); the other modules are one resource each.
"""
