package ratelimit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Charge is an amount to add to the debt of a bucket, or to take from it.
type Charge struct {
	Key string
	// Cost is the amount. A bucket has room for it where its debt, with the
	// cost, is no more than Ceiling.
	Cost, Ceiling time.Duration
}

// Source stores the debts of buckets. A debt melts as time passes; a bucket
// that is not there has none. Implementations are safe for concurrent use,
// and cost one round trip a call.
type Source interface {
	// Take raises, for each group, the debts of all its buckets, or of none
	// where one of them has no room. Looking and raising are one atomic step
	// for each group. It returns how long it will be until each group has
	// room, 0 for those that were taken.
	Take(ctx context.Context, groups [][]Charge) ([]time.Duration, error)
	// Refund lowers debts by their costs, to nothing at the least. Each group
	// is one that Take knows.
	Refund(ctx context.Context, groups [][]Charge) error
}

// Hold is what an attempt has taken. It is a value: what is not given back
// stays counted.
type Hold struct {
	taken []group
	// Refused tells that the person was tried too often by another of their
	// names. The answer must be that of a wrong password, whatever the
	// directory says: a refusal that can be told from it would tell to whom
	// the name belongs.
	Refused bool
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

// Take counts an attempt as failed before its password is looked at, so that
// no number of attempts at once gets past a limit. It returns what was taken,
// or how long to wait before trying again, and then nothing is taken: an
// attempt that is refused makes nobody wait longer.
//
// The caller does nothing more where the password is wrong, and calls
// [Limiter.Forgive] where it is right, [Limiter.Return] where nobody could
// tell.
func (l *Limiter) Take(ctx context.Context, a Attempt) (Hold, time.Duration, error) {
	groups := []group{
		l.group(a.Account, l.limits.account(a, "typed")),
		// The count of the person is that of their uid. Where another name was
		// typed, it is learned too late: see Also.
		l.group(a.Account, l.limits.account(a, "person")).silently(),
		l.group(cmp.Or(site(a.Address), network(a.Address)), l.limits.address(a)),
	}
	if a.Known {
		groups[2].ignored = true
	}
	hold, retry, err := l.take(ctx, groups)
	if err != nil {
		return Hold{}, 0, fmt.Errorf("count a login: %w", err)
	}
	if retry == 0 {
		return hold, 0, nil
	}
	if err := l.Return(ctx, hold); err != nil {
		return Hold{}, 0, err
	}
	return Hold{}, retry, nil
}

// Also counts an attempt on the person whom the directory found behind what
// was typed, by their uid. It returns what is held now. It counts for callers
// that hung up, too.
func (l *Limiter) Also(ctx context.Context, h Hold, person Attempt) (Hold, error) {
	groups := []group{l.group(person.Account, l.limits.account(person, "person")).silently()}
	more, _, err := l.take(context.WithoutCancel(ctx), groups)
	if err != nil {
		return h, fmt.Errorf("count a login: %w", err)
	}
	return Hold{taken: slices.Concat(h.taken, more.taken), Refused: h.Refused || more.Refused}, nil
}

// Forgive forgets the failures of an attempt's account from its address, or
// from its known browsers: the password was right. What the address did to
// others, and others to the account, stays counted.
func (l *Limiter) Forgive(ctx context.Context, h Hold) error {
	forgiven := slices.Clone(h.taken)
	for i, g := range forgiven {
		forgiven[i].charges = slices.Clone(g.charges)
		for j, own := range g.own {
			if own {
				forgiven[i].charges[j].Cost = g.charges[j].Ceiling
			}
		}
	}
	return l.Return(ctx, Hold{taken: forgiven})
}

// Return gives back what an attempt has taken: its password was not judged. It
// does so for callers that hung up, too.
func (l *Limiter) Return(ctx context.Context, h Hold) error {
	if len(h.taken) == 0 {
		return nil
	}
	groups := make([][]Charge, len(h.taken))
	for i, g := range h.taken {
		groups[i] = g.charges
	}
	if err := l.source.Refund(context.WithoutCancel(ctx), groups); err != nil {
		return fmt.Errorf("give back what a login counted: %w", err)
	}
	return nil
}

// take returns what was taken, and how long to wait for the groups that had no
// room and may refuse.
func (l *Limiter) take(ctx context.Context, groups []group) (Hold, time.Duration, error) {
	groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.charges) == 0 })
	if len(groups) == 0 {
		return Hold{}, 0, nil
	}
	charges := make([][]Charge, len(groups))
	for i, g := range groups {
		charges[i] = g.charges
	}
	waits, err := l.source.Take(ctx, charges)
	if err != nil {
		return Hold{}, 0, err
	}
	var hold Hold
	var retry time.Duration
	for i, g := range groups {
		switch {
		case waits[i] == 0:
			hold.taken = append(hold.taken, g)
		case g.silent:
			hold.Refused = true
		case !g.ignored:
			retry = max(retry, waits[i])
		}
	}
	return hold, retry, nil
}

// group is buckets that are taken together or not at all.
type group struct {
	charges []Charge
	own     []bool
	// silent: its refusal must look like a wrong password.
	silent bool
	// ignored: it counts where it has room, and never refuses.
	ignored bool
}

func (g group) silently() group {
	g.silent = true
	return g
}

// group names the buckets. What they have in common stands in braces, which
// keep them together where a store is spread over several servers.
func (l *Limiter) group(common string, buckets []bucket) group {
	if len(buckets) == 0 {
		return group{}
	}
	g := group{charges: make([]Charge, len(buckets)), own: make([]bool, len(buckets))}
	tag := "{" + l.key("group", common) + "}"
	for i, b := range buckets {
		g.charges[i] = Charge{Key: tag + l.key(b.kind, b.value), Cost: b.limit.Every, Ceiling: b.limit.ceiling()}
		g.own[i] = b.own
	}
	return g
}

func (l *Limiter) key(kind, value string) string { return l.pseudonym("login limit "+kind, value) }
