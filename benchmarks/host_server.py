"""The fake Nextcloud in a process of its own, with latency, for `benchmarks.host_intake`.

Prints its address, then answers one line of JSON for each line it reads: `count` (requests so far, by method), `new`
(upload one photo into one folder), `upload` (Ben uploads a copy of one of his pictures; the id of the file). Ends with
its standard input.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.fakes.nextcloud import Cloud, FakeNextcloud


def main() -> None:
    """Serve until the input ends."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--files", type=int, required=True)
    arguments.add_argument("--folders", type=int, required=True)
    arguments.add_argument("--flat", action="store_true", help="all folders at the top, instead of one for each year")
    arguments.add_argument("--latency", type=float, required=True)
    arguments.add_argument("--pictures", type=Path, required=True)
    given = arguments.parse_args()
    cloud = Cloud()
    fill(cloud, given.files, given.folders, flat=given.flat)
    cloud.add_user("ben")
    for picture in sorted(given.pictures.iterdir()):
        cloud.put("ben", f"Pictures/{picture.name}", picture.read_bytes(), parents=True)
    with FakeNextcloud(cloud) as server:
        print(json.dumps({"address": server.address}), flush=True)
        server.latency = given.latency
        for line in sys.stdin:
            print(json.dumps(obey(server, line.strip())), flush=True)


def fill(cloud: Cloud, files: int, folders: int, *, flat: bool) -> None:
    """Anna's files, in equal folders."""
    cloud.add_user("anna")
    for number in range(folders):
        folder = f"{number:04d}" if flat else f"Photos/{2000 + number % 20}/{number:04d}"
        for photo in range(files // folders):
            cloud.put("anna", f"{folder}/IMG_{number:04d}_{photo:04d}.jpg", b"x", parents=photo == 0)


def obey(server: FakeNextcloud, command: str) -> object:
    """What to print for one command."""
    if command == "new":
        first = next(iter(server.cloud.users["anna"].root.children or {}))
        server.cloud.put("anna", f"{first}/new/one.jpg", b"new", parents=True)
    if command == "upload":
        folder = server.cloud.children("ben", server.cloud.find("ben", "Pictures"))
        picture = next(iter(folder.values()))
        copy = picture.data + len(folder).to_bytes(4, "big")  # of the same people, and yet another file
        return {"id": server.cloud.put("ben", f"Pictures/new {len(folder)}.jpg", copy).id}
    return dict(server.asked)


if __name__ == "__main__":
    main()
