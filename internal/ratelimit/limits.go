package ratelimit

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Limit allows Burst failures at once, and one more each time Every has
// passed since.
type Limit struct {
	Burst int
	Every time.Duration
}

// Limits are those of a [Limiter].
type Limits struct {
	// AccountAddress holds for one account tried from one address, and for
	// one account tried from browsers that have proven it before.
	AccountAddress Limit
	// Address holds for one address, whatever the account. A campus, or the
	// students of a residence, may share one: it is generous. A /48 of IPv6,
	// which one site has, is allowed ten times as much as an address.
	Address Limit
	// Account holds for one account tried from anywhere. It drains at least
	// twice as fast as AccountAddress fills it, so that one address alone
	// never closes an account to the others.
	Account Limit
}

// DefaultLimits allow 5 failures of one account from one address and then one
// a minute, 200 failures of one address and then 100 a minute, 60 failures of
// one account and then three a minute.
func DefaultLimits() Limits {
	return Limits{
		AccountAddress: Limit{Burst: 5, Every: time.Minute},
		Address:        Limit{Burst: 200, Every: time.Minute / 100},
		Account:        Limit{Burst: 60, Every: 20 * time.Second},
	}
}

// Validate tells every fault at once.
func (l Limits) Validate() error {
	var slow error
	if l.Account.Every*2 > l.AccountAddress.Every {
		slow = errors.New("limit by account: one address would close an account to everybody: " +
			"make its interval half of that by account and address, or less")
	}
	return errors.Join(
		l.AccountAddress.validate("account and address"),
		l.Address.validate("address"),
		l.Account.validate("account"),
		slow,
	)
}

func (l Limit) validate(name string) error {
	if l.Burst < 1 || l.Every < time.Millisecond {
		return fmt.Errorf("limit by %s: needs a burst of 1 or more and an interval of 1ms or more", name)
	}
	return nil
}

// ceiling is the debt of a bucket that is full.
func (l Limit) ceiling() time.Duration { return time.Duration(l.Burst) * l.Every }

// ofSite is the limit of a site where this one holds for an address.
func (l Limit) ofSite() Limit {
	const addresses = 10
	return Limit{Burst: addresses * l.Burst, Every: max(l.Every/addresses, time.Millisecond)}
}

// Attempt is a login being tried.
type Attempt struct {
	// Account is the login as typed, folded by identity.FoldLogin, so that no
	// spelling of it has a count of its own; to [Limiter.Also] it is the uid.
	// Empty: no account is named, only the address counts.
	Account string
	// Address is the client's. IPv6 counts by /64, which is what one
	// subscriber has, and by /48, which is what one site has. The zero Addr
	// counts for no limit by address.
	Address netip.Addr
	// Known tells that this browser has proven this account before. Such an
	// attempt is not refused for what others did.
	Known bool
}

func (l Limits) account(a Attempt, kind string) []bucket {
	if a.Account == "" {
		return nil
	}
	// The bucket of known browsers follows them from address to address: a
	// device cookie that was stolen gains nothing from many addresses.
	if a.Known {
		return []bucket{{kind: kind + " known", value: a.Account, limit: l.AccountAddress, own: true}}
	}
	return []bucket{
		{kind: kind + " pair", value: network(a.Address) + " " + a.Account, limit: l.AccountAddress, own: true},
		{kind: kind + " account", value: a.Account, limit: l.Account},
	}
}

func (l Limits) address(a Attempt) []bucket {
	if !a.Address.IsValid() {
		return nil
	}
	buckets := []bucket{{kind: "address", value: network(a.Address), limit: l.Address}}
	if site := site(a.Address); site != "" {
		buckets = append(buckets, bucket{kind: "site", value: site, limit: l.Address.ofSite()})
	}
	return buckets
}

// bucket is one count that an attempt falls under.
type bucket struct {
	kind, value string
	limit       Limit
	// own: a right password forgives all that it holds.
	own bool
}

// network is the part of an address that one subscriber cannot change at will.
func network(addr netip.Addr) string {
	const subscriber = 64
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, subscriber).Masked().String()
}

// site is what one site is given of IPv6, "" for IPv4.
func site(addr netip.Addr) string {
	const given = 48
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return ""
	}
	return netip.PrefixFrom(addr, given).Masked().String()
}
