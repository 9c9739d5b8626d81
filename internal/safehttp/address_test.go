package safehttp_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"parvis/internal/safehttp"
)

func TestPublic(t *testing.T) { // S28
	tests := []struct {
		name, address string
		want          bool
	}{
		{"IPv4", "8.8.8.8", true},
		{"IPv4 beside a private network", "172.32.0.1", true},
		{"IPv4 before loopback", "126.255.255.255", true},
		{"IPv4 after the shared network", "100.128.0.0", true},
		{"IPv6", "2a00:1450:4007:80e::2004", true},
		{"IPv4-mapped", "::ffff:8.8.8.8", true},
		{"NAT64", "64:ff9b::8.8.8.8", true},
		{"unspecified", "0.0.0.0", false},
		{"this network", "0.1.2.3", false},
		{"loopback", "127.0.0.1", false},
		{"end of loopback", "127.255.255.254", false},
		{"10/8", "10.12.0.7", false},
		{"172.16/12", "172.16.0.1", false},
		{"end of 172.16/12", "172.31.255.255", false},
		{"192.168/16", "192.168.1.1", false},
		{"shared (CGNAT)", "100.64.0.1", false},
		{"end of shared", "100.127.255.255", false},
		{"link-local", "169.254.0.1", false},
		{"metadata", "169.254.169.254", false},
		{"metadata of another cloud", "168.63.129.16", false},
		{"protocol assignments", "192.0.0.8", false},
		{"documentation", "192.0.2.1", false},
		{"6to4 relay", "192.88.99.1", false},
		{"benchmarks", "198.19.0.1", false},
		{"multicast", "224.0.0.251", false},
		{"reserved", "240.0.0.1", false},
		{"broadcast", "255.255.255.255", false},
		{"IPv6 unspecified", "::", false},
		{"IPv6 loopback", "::1", false},
		{"IPv4-compatible", "::8.8.8.8", false},
		{"mapped loopback", "::ffff:127.0.0.1", false},
		{"mapped private", "::ffff:10.0.0.1", false},
		{"mapped metadata", "::ffff:169.254.169.254", false},
		{"translated form (SIIT)", "::ffff:0:127.0.0.1", false},
		{"NAT64 of loopback", "64:ff9b::127.0.0.1", false},
		{"NAT64 of a private address", "64:ff9b::10.0.0.1", false},
		{"NAT64 of metadata", "64:ff9b::a9fe:a9fe", false},
		{"local NAT64", "64:ff9b:1::8.8.8.8", false},
		{"6to4 of loopback", "2002:7f00:1::", false},
		{"6to4 of a public address", "2002:808:808::1", false},
		{"Teredo", "2001:0:53aa:64c::1", false},
		{"documentation of IPv6", "2001:db8::1", false},
		{"newer documentation of IPv6", "3fff::1", false},
		{"link-local of IPv6", "fe80::1", false},
		{"link-local with a zone", "fe80::1%eth0", false},
		{"site-local", "fec0::1", false},
		{"unique local", "fd12:3456:789a::1", false},
		{"metadata of IPv6", "fd00:ec2::254", false},
		{"multicast of IPv6", "ff02::1", false},
		{"what nobody has been given", "4000::1", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address := netip.MustParseAddr(test.address)
			if got := safehttp.Public(address); got != test.want {
				t.Errorf("%s is public: %v, want %v", address, got, test.want)
			}
			if test.want {
				return // It is somebody's: nothing to be tried on.
			}
			client := safehttp.New(safehttp.Options{Timeout: 2 * time.Second})
			for _, scheme := range []string{"https", "http"} {
				target := scheme + "://" + net.JoinHostPort(escapeZone(address), "1") + "/pgt"
				if _, err := client.Do(t.Context(), safehttp.Request{URL: target, AllowHTTP: true}); !errors.Is(err, safehttp.ErrForbidden) {
					t.Errorf("call %s: %v, want ErrForbidden", target, err)
				}
			}
		})
	}
	if safehttp.Public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
}

// What the configuration or an entry opens is reached in each of its forms;
// what nothing may open stays shut.
func TestNetworks(t *testing.T) { // S28
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	campus := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	tests := []struct {
		name, host       string
		everywhere, here []netip.Prefix
		want             bool
	}{
		{"opened by the configuration", "127.0.0.1", campus, nil, true},
		{"opened by the entry", "127.0.0.1", nil, campus, true},
		{"opened as IPv4, called as mapped", "[::ffff:127.0.0.1]", nil, campus, true},
		{"another network opened", "10.0.0.1", campus, campus, false},
		{"metadata, all opened", "169.254.169.254", all, all, false},
		{"mapped metadata, all opened", "[::ffff:169.254.169.254]", all, all, false},
		{"metadata in the shared network, all opened", "100.100.100.200", all, all, false},
		{"metadata of IPv6, all opened", "[fd00:ec2::254]", all, all, false},
		{"link-local of IPv6, all opened", "[fe80::1]", all, all, false},
		{"unspecified, all opened", "0.0.0.0", all, all, false},
		{"unspecified of IPv6, all opened", "[::]", all, all, false},
		{"multicast, all opened", "224.0.0.1", all, all, false},
	}
	port := silentPort(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := safehttp.New(safehttp.Options{Networks: test.everywhere, Timeout: 2 * time.Second})
			_, err := client.Do(t.Context(), safehttp.Request{URL: "https://" + test.host + ":" + port + "/", Networks: test.here})
			if err == nil || errors.Is(err, safehttp.ErrForbidden) == test.want {
				t.Errorf("%v, want an address that may be dialled: %v", err, test.want)
			}
		})
	}
}

func escapeZone(address netip.Addr) string {
	if zone := address.Zone(); zone != "" {
		return address.WithZone("").String() + "%25" + zone
	}
	return address.String()
}

// silentPort is one that refuses connections.
func silentPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}
