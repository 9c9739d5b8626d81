package casclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// ErrNoProxy is returned by [Client.ProxyTicket] when nobody is logged in, or
// their login brought no proxy-granting ticket.
var ErrNoProxy = errors.New("no proxy-granting ticket")

// chain is what ProxyChains allows: one test an entry.
type chain []func(proxy string) bool

func readChains(patterns [][]string) ([]chain, error) {
	chains := make([]chain, 0, len(patterns))
	for _, entries := range patterns {
		if len(entries) == 0 {
			return nil, errors.New("a chain has no entry")
		}
		one := make(chain, 0, len(entries))
		for _, entry := range entries {
			if !strings.HasPrefix(entry, "^") {
				if u, err := url.Parse(entry); err != nil || u.Host == "" {
					return nil, fmt.Errorf("%q is neither an address nor a regular expression that begins with ^", entry)
				}
				one = append(one, func(proxy string) bool { return proxy == entry })
				continue
			}
			whole, err := regexp.Compile(`\A(?:` + entry + `)\z`)
			if err != nil {
				return nil, fmt.Errorf("read a pattern: %w", err)
			}
			one = append(one, whole.MatchString)
		}
		chains = append(chains, one)
	}
	return chains, nil
}

// allowProxies checks those who came in the person's name. Nobody is what
// everybody may have.
func (c *Client) allowProxies(proxies []string) error {
	if len(proxies) == 0 {
		return nil
	}
	for _, allowed := range c.chains {
		if allowed.fits(proxies) {
			return nil
		}
	}
	return errors.New("the ticket came through proxies that are not allowed")
}

func (c chain) fits(proxies []string) bool {
	if len(proxies) != len(c) {
		return false
	}
	for i, proxy := range proxies {
		if !c[i](proxy) {
			return false
		}
	}
	return true
}

// proxyCallback takes the proxy-granting tickets that the server brings during a
// validation (specification, section 2.5.4). Without parameters it only says
// that it is there, as some servers want to know first.
func (c *Client) proxyCallback(w http.ResponseWriter, r *http.Request) {
	noStore(w)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	iou, pgt := query.Get("pgtIou"), query.Get("pgtId")
	if iou == "" && pgt == "" {
		w.WriteHeader(http.StatusOK)
		return
	}
	if !validToken(iou) || !validToken(pgt) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if err := c.o.Grants.Put(r.Context(), iou, pgt); err != nil {
		c.o.Logger.ErrorContext(r.Context(), "CAS does not work", "error", fmt.Errorf("keep a proxy-granting ticket: %w", err))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// claim fetches the proxy-granting ticket that the answer names.
func (c *Client) claim(ctx context.Context, a *answer) error {
	if c.o.ProxyCallback == "" || !validToken(a.iou) {
		return nil
	}
	pgt, err := c.o.Grants.Take(ctx, a.iou)
	if err != nil {
		return fmt.Errorf("take the proxy-granting ticket: %w", err)
	}
	if pgt == "" {
		c.o.Logger.WarnContext(ctx, "the proxy-granting ticket did not come to this process; the others need the same Grants")
	}
	a.pgt = pgt
	return nil
}

// ProxyTicket gets a ticket with which this service calls another, target, in
// the name of the person who sent the request that ctx belongs to (specification,
// section 2.7). It is added to the call's address as the last parameter,
// "ticket", and is good once. target is compared to the letter at the other end.
//
// The error is [ErrNoProxy], a [*Refusal] (INVALID_TICKET: the person has logged
// out at the server), or says how the server cannot be reached.
func (c *Client) ProxyTicket(ctx context.Context, target string) (string, error) {
	v := visitOf(ctx)
	if v == nil || v.session == nil || v.session.PGT == "" {
		return "", ErrNoProxy
	}
	query := "pgt=" + url.QueryEscape(v.session.PGT) + "&targetService=" + url.QueryEscape(target)
	status, body, err := c.get(ctx, c.server+"/proxy?"+query)
	if err != nil {
		return "", fmt.Errorf("get a proxy ticket: %w", err)
	}
	ticket, err := readProxyTicket(body)
	switch refusal := (*Refusal)(nil); {
	case errors.As(err, &refusal):
		return "", fmt.Errorf("get a proxy ticket: %w", refusal)
	case status != http.StatusOK:
		return "", fmt.Errorf("get a proxy ticket: the server answers with status %d", status)
	case err != nil:
		return "", fmt.Errorf("get a proxy ticket: %w", err)
	}
	return ticket, nil
}
