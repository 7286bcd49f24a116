"""What users are told about their Nextcloud."""

from dataclasses import replace

from plugin.hosts.network.words import Said, Words

NEXTCLOUD = Words(
    login_refused=Said(
        "Nextcloud does not accept the user name or password", "Connect this library again on the Libraries page"
    ),
    forbidden=Said("Nextcloud does not allow this", "Look at the user's rights and the app password's"),
    throttled=Said(
        "Nextcloud slows Kinfolk down after too many requests or wrong passwords",
        "Kinfolk waits and goes on by itself; see brute-force protection in Nextcloud if this stays",
    ),
    overloaded=Said("Nextcloud is overloaded", "Kinfolk waits and goes on by itself"),
    failed=Said(
        "Nextcloud answered with an error (%(status)s)", "It is tried again; look into Nextcloud's log if this stays"
    ),
    strange=Said(
        "%(base)s answers, but not as a Nextcloud does",
        "Is the address right, and is nothing in front of it that shows a page of its own?",
    ),
    too_large=Said("Nextcloud's answer is larger than %(limit)s MB", "Choose smaller folders"),
    web_page=Said("A web page came instead of the photo", "Is there a proxy in front of Nextcloud?"),
    no_address=Said(
        "This is not the address of a Nextcloud server", "Type it as in your browser: https://cloud.example.org"
    ),
)

NEXTCLOUD_AS_APP = replace(
    NEXTCLOUD,
    login_refused=Said(
        "Nextcloud does not let Kinfolk in as an app",
        "Enable Kinfolk in Nextcloud under Apps; if it is enabled there, scan this library again",
    ),
)
"""Where no user logged in, and Nextcloud vouches for Kinfolk."""
