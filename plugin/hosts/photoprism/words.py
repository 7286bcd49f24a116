"""What users are told about their PhotoPrism."""

from plugin.hosts.network.words import Said, Words

PHOTOPRISM = Words(
    login_refused=Said(
        "PhotoPrism does not accept the app password", "Connect this library again on the Libraries page"
    ),
    forbidden=Said(
        "PhotoPrism does not allow this",
        "The app password needs at least the scopes photos and files, or full access; make a new one",
    ),
    throttled=Said(
        "PhotoPrism slows Kinfolk down after too many requests or wrong passwords",
        "Kinfolk waits and goes on by itself",
    ),
    overloaded=Said("PhotoPrism is overloaded or starting", "Kinfolk waits and goes on by itself"),
    failed=Said(
        "PhotoPrism answered with an error (%(status)s)", "It is tried again; look into PhotoPrism's log if this stays"
    ),
    strange=Said(
        "%(base)s answers, but not as a PhotoPrism does",
        "Is the address right, and is nothing in front of it that shows a page of its own?",
    ),
    too_large=Said("PhotoPrism's answer is larger than %(limit)s MB"),
    web_page=Said("A web page came instead of the photo", "Is there a proxy in front of PhotoPrism?"),
    no_address=Said(
        "This is not the address of a PhotoPrism", "Type it as in your browser: https://photos.example.org"
    ),
)
