"""Kinfolk gives the photo library a family already runs (a folder, Nextcloud, PhotoPrism) people.

The way of a photo, and the order to read the modules in:

1. `domain`, `errors`, `sentences`, `ports`   the words, what can go wrong, what the steps need from the outside
2. `intake`                      what is new, changed, moved or gone on the host
3. `detection`                   asset -> faces: fetch, decode, detect, align, embed, judge quality, remember
4. `recognition`                 faces -> people: assign, create, wait; nightly; Missing / Reset
5. `people`                      name, merge, hide, delete, assign, reject, ignore; `bulk`: many at once;
                                 `drawing`: faces users draw; `suggestions`, `open_questions`: what is asked;
                                 `history`: undo; `privacy`: forget for good; `sharing`: let others look
   `writeback/`, `sidecars/`    who is on a photo, told to the host; face regions in XMP files
6. `indexing`                    keep the disposable embedding index in step with the catalogue; check and repair
7. `faces/`                      the pure core those steps call: alignment, quality, neighbours, grouping
8. `pipeline`                    what follows what; `jobs` (Huey) runs it in the background, `foreground` to the end
9. `hosts/ media/ vision/ index/ catalogue/ web/`   the adapters, each behind a port
10. `settings`, `assemble`, `cli/`, `__main__`      one validated configuration in, running parts out

Beside the way: `likeness` (who looks like a person), `face_search` (who looks like a picture), `originals` (downloads),
`accounts`, `account_export`, `api_tokens`, `exapp/` and `app_identity` (inside Nextcloud), `ingress` and `supervisor`
(inside Home Assistant), `outside_accounts` (users of both), `engine` (faces for other programs), `hooks` (hosts that
tell), `first_start`, `preferences` (thresholds saved by the screens), `pausing` (when work rests), `restraint` and
`pace` (how much of the machine it takes, how fast it goes), `smart_home` and `mqtt/` (what Home Assistant is told),
`thumbnails` and `watchers`.
"""

__version__ = "0.1.0"
