package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"os"

	"parvis/internal/config"
	"parvis/internal/safehttp"
)

// newOutgoing returns the client of all that the server sends to applications.
func newOutgoing(c config.Outgoing) (*safehttp.Client, error) {
	roots, err := alsoTrust(string(c.CAFile))
	if err != nil {
		return nil, err
	}
	return safehttp.New(safehttp.Options{
		Roots: roots, Networks: prefixes(c.Networks), Timeout: c.Timeout.D(), UserAgent: "Parvis/" + version,
	}), nil
}

// alsoTrust returns the authorities that the system trusts and those of a file;
// nil, which stands for the system's, where there is no file.
func alsoTrust(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	certificates, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read outgoing.ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("read outgoing.ca_file %s: no certificate in it", path)
	}
	return pool, nil
}

// callbacks calls the services that proxy.
type callbacks struct{ client *safehttp.Client }

// Get asks for an address.
func (c callbacks) Get(ctx context.Context, address string, networks []netip.Prefix) (int, error) {
	return c.client.Do(ctx, safehttp.Request{Method: http.MethodGet, URL: address, Networks: networks})
}
