package casclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// maxAnswer is the longest answer taken of the server, in bytes. People with
// thousands of groups exist.
const maxAnswer = 1 << 20

// validate asks the server whose ticket this is. What it is told of the service
// is built as it was for the login.
func (c *Client) validate(ctx context.Context, at address, ticket string) (answer, error) {
	query := "service=" + url.QueryEscape(at.service) + "&ticket=" + url.QueryEscape(ticket)
	if at.asked == askedRenew {
		query += "&renew=true"
	}
	if c.o.ProxyCallback != "" {
		query += "&pgtUrl=" + url.QueryEscape(c.service+c.o.ProxyCallback)
	}
	status, body, err := c.get(ctx, c.endpoint()+"?"+query)
	if err != nil {
		return answer{}, fmt.Errorf("validate a ticket: %w", err)
	}
	// A refusal counts whatever the status: Keycloak answers 400.
	a, err := readValidation(body)
	refusal := (*Refusal)(nil)
	switch {
	case errors.As(err, &refusal) && refusal.Code == "INTERNAL_ERROR":
		return answer{}, fmt.Errorf("validate a ticket: %s", refusal.Error())
	case errors.As(err, &refusal):
		return answer{}, fmt.Errorf("validate a ticket: %w", refusal)
	case status != http.StatusOK:
		return answer{}, fmt.Errorf("validate a ticket: the server answers with status %d", status)
	case err != nil:
		return answer{}, fmt.Errorf("validate a ticket: %w", err)
	}
	if err := c.allowProxies(a.principal.Proxies); err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrTicket, err)
	}
	if err := c.claim(ctx, &a); err != nil {
		return answer{}, err
	}
	return a, nil
}

// endpoint is where tickets are validated: proxy tickets are taken only where
// some chain is allowed.
func (c *Client) endpoint() string {
	path := "/serviceValidate"
	if len(c.chains) > 0 {
		path = "/proxyValidate"
	}
	if !c.o.CAS2 {
		path = "/p3" + path
	}
	return c.server + path
}

// get asks the server. Errors name no address: it holds the ticket.
func (c *Client) get(ctx context.Context, address string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody) //nolint:gosec // the address begins with the configured server
	if err != nil {
		return 0, nil, fmt.Errorf("ask the server: %w", bare(err))
	}
	response, err := c.o.HTTP.Do(request) //nolint:gosec // the same
	if err != nil {
		return 0, nil, fmt.Errorf("ask the server: %w", bare(err))
	}
	defer response.Body.Close() //nolint:errcheck // read to its end or given up
	body, err := readAll(response.Body, maxAnswer)
	if err != nil {
		return 0, nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return response.StatusCode, body, nil
}

// bare takes the address off an error of net/http.
func bare(err error) error {
	if inner := (*url.Error)(nil); errors.As(err, &inner) {
		return inner.Err
	}
	return err
}
