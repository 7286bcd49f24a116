"""How old somebody is on a photo, in words."""

from datetime import date, datetime

from plugin.web.language import gettext as _
from plugin.web.language import ngettext

MONTHS_UNTIL = 24
"""Younger children are counted in months, as parents do."""


def age_on(born: date | None, taken: datetime | None) -> str:
    """The age on the day of the photo; "" when one of the two is not known."""
    if born is None or taken is None:
        return ""
    months = (taken.year - born.year) * 12 + taken.month - born.month - (taken.day < born.day)
    if months < 0:
        return _("before the birth")
    if months == 0:
        return _("newborn")
    if months < MONTHS_UNTIL:
        return ngettext("%(num)s month", "%(num)s months", months)
    return ngettext("%(num)s year", "%(num)s years", months // 12)
