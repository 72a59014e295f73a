package logsingestion

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// TLSConfig makes the checks of the receiver's certificate. authorities are
// certificates in PEM that are trusted instead of the system's (Wadi's own
// tls/cert.pem is one); fingerprint is the SHA-256 of the receiver's certificate
// in hexadecimal digits, colons allowed, and is then the only thing that counts:
// neither name nor dates are checked. Both may be empty.
func TLSConfig(authorities []byte, fingerprint string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(authorities) > 0 {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, errors.New("there is no certificate in PEM in it")
		}
	}
	if fingerprint == "" {
		return cfg, nil
	}
	if len(authorities) > 0 {
		return nil, errors.New("a certificate is trusted by its authority or by its fingerprint, not by both")
	}
	digits := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(fingerprint), "sha256:"), ":", "")
	want, err := hex.DecodeString(digits)
	if err != nil || len(want) != sha256.Size {
		return nil, errors.New("a fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits")
	}
	cfg.InsecureSkipVerify = true // VerifyConnection compares the whole certificate instead
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return fmt.Errorf("%w: it shows none", ErrCertificate)
		}
		if got := sha256.Sum256(s.PeerCertificates[0].Raw); string(got[:]) != string(want) {
			return fmt.Errorf("%w: its fingerprint is %s, not the one that is pinned", ErrCertificate, hex.EncodeToString(got[:]))
		}
		return nil
	}
	return cfg, nil
}
