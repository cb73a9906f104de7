"""By which address a client is known."""

from __future__ import annotations

import tracemalloc
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.parsers import networks
from ozgate.wire.peers import Peers, address_in

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "fd00::/8")
PEERS = Peers.trusting(networks(",".join(TRUSTED)))
PROXY = IPv4Address("TCP", "10.1.2.3", 4000)
CLIENT = IPv4Address("TCP", "192.0.2.1", 4000)
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def is_trusted(text: str) -> bool:
    """Whether an address is in one of the networks, by another way than the code's."""
    found = ip_address(text)
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(each) for each in TRUSTED)


def said(*values: str) -> list[tuple[bytes, bytes]]:
    """Headers of a request that came on."""
    headers = [(b"host", b"h"), (b"forwarded", b"for=203.0.113.99")]
    return headers + [(b"x-forwarded-for", value.encode()) for value in values]


class ClientTests(SynchronousTestCase):
    """``X-Forwarded-For``."""

    def test_nearest_stranger(self) -> None:
        """The client is who the last proxy that is believed was asked from, whatever was claimed before that."""
        for values, client in (
            (["198.51.100.7"], "198.51.100.7"),
            (["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
            (["1.1.1.1,198.51.100.7, 10.9.9.9,127.0.0.1"], "198.51.100.7"),
            (["10.0.0.1, 1.1.1.1, 198.51.100.7, 10.9.9.9"], "198.51.100.7"),
            (["198.51.100.7:51234"], "198.51.100.7"),
            (["[2001:DB8::1]:51234"], "2001:db8::1"),
            (["2001:db8:0:0::1"], "2001:db8::1"),
            (["fe80::1%eth0"], "fe80::1"),
            (["::ffff:198.51.100.7"], "198.51.100.7"),
            (["::ffff:10.0.0.9"], "10.0.0.9"),
            (["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
        ):
            self.assertEqual(PEERS.client_of(PROXY, said(*values)), client, values)

    def test_unreadable(self) -> None:
        """Where a proxy says nothing that is an address, the nearest one that is known is the client."""
        for value, client in (
            ("", "10.1.2.3"),
            (",", "10.1.2.3"),
            ("unknown", "10.1.2.3"),
            ("198.51.100.7 ok", "10.1.2.3"),
            ("198.51.100.7, _hidden", "10.1.2.3"),
            ("198.51.100.7, , 10.0.0.9", "10.0.0.9"),
            ("256.1.1.1", "10.1.2.3"),
            ("\n10.0.0.9\n2026 | INFO", "10.1.2.3"),
        ):
            self.assertEqual(PEERS.client_of(PROXY, said(value)), client, value)
        self.assertEqual(PEERS.client_of(PROXY, said()), "10.1.2.3")

    def test_nothing_is_kept(self) -> None:
        """What is as long as a head and no address takes no memory once it was read."""
        PEERS.client_of(PROXY, said("198.51.100.7"))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for number in range(200):
            junk = f"{number:030000}"
            self.assertEqual(PEERS.client_of(PROXY, said(junk)), "10.1.2.3")
        self.assertLess(tracemalloc.get_traced_memory()[0], 1 << 20)

    def test_strangers(self) -> None:
        """What others write is not believed, nor anybody where nobody is named."""
        for peers, address in ((PEERS, CLIENT), (Peers(), PROXY), (Peers(), CLIENT)):
            found = peers.client_of(address, said("10.0.0.1", "198.51.100.7"))
            self.assertEqual(found, address.host)

    def test_sockets(self) -> None:
        """Who comes over a UNIX socket is believed where that is said, and is nobody otherwise."""
        over = UNIXAddress("/run/s3.sock")
        self.assertEqual(PEERS.client_of(over, said("198.51.100.7")), "-")
        trusting = Peers.trusting(("unix",))
        self.assertEqual(trusting.client_of(over, said("198.51.100.7")), "198.51.100.7")
        self.assertEqual(trusting.client_of(over, said()), "-")
        self.assertEqual(trusting.client_of(PROXY, said("198.51.100.7")), "10.1.2.3")

    @given(ADDRESSES, st.lists(ADDRESSES, max_size=5))
    def test_any(self, address: object, hops: list[object]) -> None:
        """From the connection back, the first that is not believed is the client, or the last that there is."""
        kind = IPv6Address if ":" in str(address) else IPv4Address
        peer = kind("TCP", str(address), 1)
        found = PEERS.client_of(peer, said(", ".join(map(str, hops))))
        chain = [str(address), *map(str, reversed(hops))]
        expected = next((e for e in chain if not is_trusted(e)), chain[-1])
        self.assertEqual(
            ip_address(found),
            address_in(expected) if expected != str(address) else ip_address(expected),
        )
        self.assertEqual(PEERS.trusts(peer), is_trusted(str(address)))

    @given(st.text(max_size=50))
    def test_any_text(self, text: str) -> None:
        """Whatever is written, what is taken is an address."""
        ip_address(PEERS.client_of(PROXY, said(text)))


class SettingTests(SynchronousTestCase):
    """``ozgate.http.trusted-proxies``."""

    def test_networks(self) -> None:
        """Networks, addresses and the word for sockets are taken, others told."""
        found = networks("127.0.0.1, 10.0.0.0/8,fd00::/8, unix")
        self.assertEqual(found, ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8", "unix"))
        self.assertEqual(networks(""), ())
        for wrong in ("proxy.example.com", "10.0.0.1/8", "10.0.0", "*", "unix:/s"):
            self.assertRaises(ValueError, networks, f"127.0.0.1,{wrong}")
