package ratelimit

import (
	"context"
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
	// students of a residence, may share one: it is generous.
	Address Limit
	// Account holds for one account tried from anywhere.
	Account Limit
}

// DefaultLimits allow 5 failures of one account from one address and then one
// a minute, 200 failures of one address and then 100 a minute, 60 failures of
// one account and then one in two minutes.
func DefaultLimits() Limits {
	return Limits{
		AccountAddress: Limit{Burst: 5, Every: time.Minute},
		Address:        Limit{Burst: 200, Every: time.Minute / 100},
		Account:        Limit{Burst: 60, Every: 2 * time.Minute},
	}
}

// Validate tells every fault at once.
func (l Limits) Validate() error {
	return errors.Join(
		l.AccountAddress.validate("account and address"),
		l.Address.validate("address"),
		l.Account.validate("account"),
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

// retry is how long a bucket of this debt refuses, 0 when it has room.
func (l Limit) retry(debt time.Duration) time.Duration { return max(0, debt+l.Every-l.ceiling()) }

// Attempt is a login being tried.
type Attempt struct {
	// Account is the login as typed, folded by identity.FoldLogin, so that no
	// spelling of it has a count of its own. Empty: no account is named, only the address
	// counts.
	Account string
	// Address is the client's. IPv6 counts by /64, which is what one
	// subscriber has. The zero Addr counts for no limit by address.
	Address netip.Addr
	// Known tells that this browser has proven this account before. Such an
	// attempt is not refused for what others did.
	Known bool
}

// Charge is an amount to add to the debt of a bucket.
type Charge struct {
	Key string
	// Cost is added to the debt, which then is cut at Ceiling.
	Cost, Ceiling time.Duration
}

// Source stores the debts of buckets. A debt melts as time passes; a bucket
// that is not there has none. Implementations are safe for concurrent use,
// and cost one round trip a call.
type Source interface {
	// Debts returns the debt of each key, in their order.
	Debts(ctx context.Context, keys []string) ([]time.Duration, error)
	// Charge raises debts, each in one atomic step.
	Charge(ctx context.Context, charges []Charge) error
	// Clear forgives the debts of keys.
	Clear(ctx context.Context, keys []string) error
}

// Limiter tells who must wait before trying another password. It is safe for
// concurrent use. Nodes that share a [Source] and a pseudonym share the limits.
type Limiter struct {
	source    Source
	limits    Limits
	pseudonym func(purpose, value string) string
}

// New returns a Limiter over source. pseudonym hides who a bucket belongs to;
// equal values must give equal results on all nodes.
func New(source Source, limits Limits, pseudonym func(purpose, value string) string) (*Limiter, error) {
	if err := limits.Validate(); err != nil {
		return nil, err
	}
	return &Limiter{source: source, limits: limits, pseudonym: pseudonym}, nil
}

// Check tells how long to wait before this attempt may go on; 0: go ahead. It
// changes nothing, so an attempt that is refused makes nobody wait longer.
func (l *Limiter) Check(ctx context.Context, a Attempt) (time.Duration, error) {
	buckets := l.buckets(a)
	keys := make([]string, 0, len(buckets))
	limits := make([]Limit, 0, len(buckets))
	for _, b := range buckets {
		if !b.countOnly {
			keys, limits = append(keys, b.key), append(limits, b.limit)
		}
	}
	if len(keys) == 0 {
		return 0, nil
	}
	debts, err := l.source.Debts(ctx, keys)
	if err != nil {
		return 0, fmt.Errorf("check login limits: %w", err)
	}
	var retry time.Duration
	for i, limit := range limits {
		retry = max(retry, limit.retry(debts[i]))
	}
	return retry, nil
}

// Fail counts a password that was wrong.
func (l *Limiter) Fail(ctx context.Context, a Attempt) error {
	buckets := l.buckets(a)
	if len(buckets) == 0 {
		return nil
	}
	charges := make([]Charge, len(buckets))
	for i, b := range buckets {
		charges[i] = Charge{Key: b.key, Cost: b.limit.Every, Ceiling: b.limit.ceiling()}
	}
	if err := l.source.Charge(ctx, charges); err != nil {
		return fmt.Errorf("count a failed login: %w", err)
	}
	return nil
}

// Forgive forgets the failures of an attempt's account from its address, or
// from its known browsers: the password was right. What the address did to
// others, and others to the account, stays counted.
func (l *Limiter) Forgive(ctx context.Context, a Attempt) error {
	if a.Account == "" {
		return nil
	}
	if err := l.source.Clear(ctx, []string{l.own(a)}); err != nil {
		return fmt.Errorf("forget failed logins: %w", err)
	}
	return nil
}

// bucket is one count that an attempt falls under.
type bucket struct {
	key   string
	limit Limit
	// countOnly: failures are counted, but do not refuse this attempt.
	countOnly bool
}

func (l *Limiter) buckets(a Attempt) []bucket {
	buckets := make([]bucket, 0, 3)
	if a.Account != "" {
		buckets = append(buckets, bucket{key: l.own(a), limit: l.limits.AccountAddress})
	}
	if a.Address.IsValid() {
		buckets = append(buckets, bucket{key: l.key("address", network(a.Address)), limit: l.limits.Address, countOnly: a.Known})
	}
	if a.Account != "" && !a.Known {
		buckets = append(buckets, bucket{key: l.key("account", a.Account), limit: l.limits.Account})
	}
	return buckets
}

// own is the bucket of the account from this address. That of known browsers
// follows them from address to address: a device cookie that was stolen gains
// nothing from many addresses.
func (l *Limiter) own(a Attempt) string {
	if a.Known {
		return l.key("known", a.Account)
	}
	return l.key("pair", network(a.Address)+" "+a.Account)
}

func (l *Limiter) key(kind, value string) string { return l.pseudonym("login limit "+kind, value) }

// network is the part of an address that one subscriber cannot change at will.
func network(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr.String()
	}
	const subscriber = 64
	return netip.PrefixFrom(addr, subscriber).Masked().String()
}
