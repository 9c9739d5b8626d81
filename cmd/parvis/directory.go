package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"parvis/cas"
	"parvis/internal/config"
	"parvis/internal/slo"
	"parvis/ldapstore"
	"parvis/ldapstore/ldif"
)

// directory is what a node asks of people, over LDAP or in a file.
type directory interface {
	cas.Directory
	slo.Directory
	Ping(ctx context.Context) error
	Close() error
}

// openDirectory returns the directory that a configuration asks for.
func openDirectory(c config.Directory, log *slog.Logger) (directory, error) {
	if c.LDAP == nil {
		return ldif.Open(string(c.LDIF), ldif.Options{Log: log})
	}
	options, err := ldapOptions(*c.LDAP)
	if err != nil {
		return nil, err
	}
	return ldapstore.New(options)
}

func ldapOptions(c config.LDAP) (ldapstore.Options, error) {
	trusted, err := trust(string(c.CAFile))
	if err != nil {
		return ldapstore.Options{}, err
	}
	return ldapstore.Options{
		URLs:            c.URLs,
		StartTLS:        c.StartTLS,
		TLS:             trusted,
		Cleartext:       c.ClearText,
		BindDN:          c.BindDN,
		Password:        c.BindPassword.Reveal(),
		DecoyDN:         c.DecoyDN,
		Base:            c.Base,
		PeopleFilter:    c.PeopleFilter,
		UIDAttribute:    c.UIDAttribute,
		LoginAttributes: c.LoginAttributes,
		Attributes:      c.Attributes,
		GroupBase:       c.GroupBase,
		Timeout:         c.Timeout.D(),
		SearchConns:     c.SearchConnections,
		BindConns:       c.BindConnections,
	}, nil
}

// trust reads the authorities that sign a server's certificate; nil stands for
// the system's.
func trust(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // both users of it take nil for the system's authorities
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the authorities: %w", errors.New(file+" holds no certificate in PEM"))
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
