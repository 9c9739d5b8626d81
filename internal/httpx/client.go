package httpx

import (
	"net/netip"
	"strings"
)

// proxies are the addresses whose forwarding headers are believed.
type proxies []netip.Prefix

func (p proxies) trust(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// client finds who is behind peer: it reads X-Forwarded-For from the right,
// where each trusted proxy wrote whom it spoke to, and stops at the first
// address that is no trusted proxy. What stands further left was written by
// that client or anyone before it, and is not read. An entry that is no
// address ends the walk too, at the proxy that passed it on.
//
// X-Real-IP, True-Client-IP and Forwarded are never read: a proxy that sets
// X-Forwarded-For lets a client's own copy of the others through.
func (p proxies) client(peer netip.Addr, forwarded []string) netip.Addr {
	current := peer
	for i := len(forwarded) - 1; i >= 0; i-- {
		line := forwarded[i]
		for more := true; more; {
			if !p.trust(current) {
				return current
			}
			var entry string
			line, entry, more = cutLast(line)
			addr, ok := parseAddress(strings.Trim(entry, " \t"))
			if !ok {
				return current
			}
			current = addr
		}
	}
	return current
}

// cutLast cuts list at its last comma, and tells whether there is one.
func cutLast(list string) (string, string, bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// peerAddress is the address of a connection's other end ("192.0.2.1:4711"),
// the zero Addr for a Unix socket.
func peerAddress(remote string) netip.Addr {
	port, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return plain(port.Addr())
}

// parseAddress reads an entry of X-Forwarded-For. Some proxies add the port.
func parseAddress(entry string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(entry)
	if err == nil {
		return plain(addr), true
	}
	if port, err := netip.ParseAddrPort(entry); err == nil {
		return plain(port.Addr()), true
	}
	if len(entry) > 2 && entry[0] == '[' && entry[len(entry)-1] == ']' {
		if addr, err := netip.ParseAddr(entry[1 : len(entry)-1]); err == nil && addr.Is6() {
			return plain(addr), true
		}
	}
	return netip.Addr{}, false
}

// plain makes equal addresses equal values: no IPv4 in IPv6, no zone.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// networkText is the network that an address is in: enough to see where load or
// abuse comes from, too little to tell one person from their neighbours. The
// audit trail holds whole addresses.
func networkText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}
