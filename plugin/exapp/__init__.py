"""Kinfolk as an app inside Nextcloud (an ExApp of AppAPI): what it asks of that Nextcloud, and what it does for it.

`nextcloud.py` makes the requests; `registration.py` puts Kinfolk into the menu; `recognize.py` finds faces for the app
Recognize. All of it is there only when AppAPI started Kinfolk (`plugin.app_identity`).
"""
