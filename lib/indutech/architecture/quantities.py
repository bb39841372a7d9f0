"""Units and constants of architecture and costs, and the transfer time over a link."""

from decimal import Decimal

HOURS_PER_MONTH = 730  # AWS's own convention: 8,760 hours a year over 12 months
GIB = 2**30  # what AWS bills as "GB" of storage and of traffic
TIB_IN_GIB = 1024
GB = 10**9  # what a sensor's data sheet and a network link call GB
VPN_TUNNEL_MBPS = 1250  # the most one tunnel of a site-to-site VPN carries


def days_to_move(gib: Decimal, mbps: int | Decimal, utilisation: Decimal) -> Decimal:
    """Return the days that so many GiB take over a link of so many Mbit/s, of which a share (0 to 1) may be used."""
    return gib * GIB * 8 / (mbps * 10**6 * utilisation) / 86_400
