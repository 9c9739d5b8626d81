package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
)

// keyPair is a certificate that can be renewed without a restart.
type keyPair struct {
	certificate, key string
	current          atomic.Pointer[tls.Certificate]
}

// Reload reads the files; after a fault the certificate in use stays.
func (k *keyPair) Reload() error {
	pair, err := tls.LoadX509KeyPair(k.certificate, k.key)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	k.current.Store(&pair)
	return nil
}

// Listen makes a listener speak TLS with the certificate of the moment.
func (k *keyPair) Listen(listener net.Listener) net.Listener {
	return tls.NewListener(listener, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.current.Load(), nil },
	})
}
