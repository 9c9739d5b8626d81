package slo

import (
	"net/url"
	"strings"
	"time"
)

// host is what is known of one host, and what waits for it.
type host struct {
	ready []*job
	// running counts requests under way, jobs all that is in hand.
	running, jobs int
	// proven tells that it answered the last time.
	proven bool
	// failures counts tries in a row that got no answer. Before resume, none
	// is made.
	failures int
	resume   time.Time
}

const (
	// downAfter is how many tries in a row without an answer make a host count
	// as down.
	downAfter = 3
	// maxBacklog bounds what waits for a host that is down.
	maxBacklog = 1000
)

// hostOf is the host, and port, that a request goes to.
func hostOf(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", false
	}
	return strings.ToLower(u.Host), true
}

func (h *host) pop() *job {
	j := h.ready[0]
	h.ready[0] = nil
	h.ready = h.ready[1:]
	return j
}

// surplus tells that the job in front is not worth waiting with: too old, or
// one of too many for a host that is down.
func (h *host) surplus(now time.Time) bool {
	if len(h.ready) == 0 {
		return false
	}
	return !now.Before(h.ready[0].expires()) || h.failures >= downAfter && len(h.ready) > maxBacklog
}

// note learns from a try. A host that is down is left alone for longer and
// longer, up to half a minute.
func (h *host) note(r result, now time.Time) {
	const longest = 5 // doublings of a second
	if r.err == nil {
		h.failures, h.resume, h.proven = 0, time.Time{}, true
		return
	}
	h.failures++
	h.proven = false
	if h.failures >= downAfter {
		h.resume = now.Add(time.Second << min(h.failures-downAfter, longest))
	}
}
