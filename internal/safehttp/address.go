package safehttp

import (
	"fmt"
	"net/netip"
	"slices"
)

// special are the IPv4 networks that are not part of the Internet: private,
// loopback, shared, of documentation, of tests, reserved (RFC 6890 and the
// registry that it began).
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
)

// global is the only part of IPv6 that the Internet uses; special6 is what is
// special within it: protocols' own and tunnels, which hide an IPv4 address,
// and documentation.
var (
	global   = netip.MustParsePrefix("2000::/3")
	special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

// shut are the networks that nothing opens: no application lives there, and
// clouds keep the secrets of their machines in some.
var shut = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/128", "fe80::/10", "ff00::/8",
	"100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128",
)

// translated is where a NAT64 puts IPv4 addresses (RFC 6052, section 2.1).
var translated = netip.MustParsePrefix("64:ff9b::/96")

// Public reports whether an address is one of the Internet's, which every
// request may reach.
func Public(address netip.Addr) bool {
	address = plain(address)
	switch {
	case !address.IsValid() || within(address, shut):
		return false
	case address.Is4():
		return !within(address, special)
	default:
		return global.Contains(address) && !within(address, special6)
	}
}

// check refuses an address that is neither public nor in one of networks.
func check(address netip.Addr, networks []netip.Prefix) error {
	found := plain(address)
	if Public(found) || within(found, networks) && !within(found, shut) {
		return nil
	}
	return fmt.Errorf("%w: %s is in no network that is open", ErrForbidden, found)
}

// plain is the address that packets to another form of it end up at.
func plain(address netip.Addr) netip.Addr {
	address = address.WithZone("").Unmap()
	if translated.Contains(address) {
		bytes := address.As16()
		return netip.AddrFrom4([4]byte(bytes[12:]))
	}
	return address
}

func within(address netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(address) })
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}
