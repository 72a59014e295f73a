package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Where the self-made certificate lies in the data folder.
const (
	tlsFolder = "tls"
	certName  = "cert.pem"
	keyName   = "key.pem"
)

// selfMade marks certificates that the server made itself: only they are renewed.
const selfMade = "Wadi, made by the server itself"

// certificates is what the listener shows and takes; it can be changed while it
// runs.
type certificates struct {
	now     func() time.Time
	dataDir string
	config  atomic.Pointer[tls.Config]
	leaf    atomic.Pointer[x509.Certificate]
}

// load reads the certificate that the settings name; the self-made one is made when
// it is missing or near its end. made tells that.
func (c *certificates) load(s *Settings) (made bool, err error) {
	cert, key := s.Cert, s.Key
	if cert == "" {
		dir := filepath.Join(c.dataDir, tlsFolder)
		cert, key = filepath.Join(dir, certName), filepath.Join(dir, keyName)
		if made, err = c.selfMade(dir, cert, key, s.Hosts); err != nil {
			return false, err
		}
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return made, fmt.Errorf("cannot read the certificate: %w", err)
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		NextProtos:   []string{"h2", "http/1.1"},
	}
	if s.ClientCA != "" {
		text, err := os.ReadFile(s.ClientCA)
		if err != nil {
			return made, fmt.Errorf("cannot read the authorities of client certificates: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return made, fmt.Errorf("cannot read the authorities of client certificates: %s holds no certificate", s.ClientCA)
		}
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	c.leaf.Store(pair.Leaf)
	c.config.Store(config)
	return made, nil
}

// listening is the configuration of a listener that follows changes.
func (c *certificates) listening() *tls.Config {
	first := c.config.Load().Clone()
	first.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.config.Load(), nil }
	return first
}

// fingerprint is the SHA-256 of the certificate as browsers show it.
func (c *certificates) fingerprint() string {
	sum := sha256.Sum256(c.leaf.Load().Raw)
	var b strings.Builder
	for i, v := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", v)
	}
	return b.String()
}

// selfMade makes certificate and key unless there are some that still hold.
func (c *certificates) selfMade(dir, cert, key string, hosts []string) (made bool, err error) {
	_, err = os.Stat(cert)
	missing := errors.Is(err, fs.ErrNotExist)
	var old *x509.Certificate
	var signer *ecdsa.PrivateKey
	if !missing {
		if old, signer, err = readPair(cert, key); err != nil {
			return false, fmt.Errorf("cannot read the certificate (remove %s and the server makes a new one): %w", dir, err)
		}
	}
	if !missing && (!slices.Equal(old.Subject.Organization, []string{selfMade}) || c.now().AddDate(0, 0, renewDays).Before(old.NotAfter)) {
		return false, nil
	}
	if missing {
		if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return false, fmt.Errorf("cannot make a key: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("cannot make the certificate: %w", err)
	}
	der, err := makeCertificate(c.now(), signer, hosts)
	if err != nil {
		return false, fmt.Errorf("cannot make the certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return false, fmt.Errorf("cannot make the certificate: %w", err)
	}
	// The key first: a crash between the two leaves no certificate, so both are made
	// again.
	err = os.Remove(cert)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = writeDurably(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
	}
	if err == nil {
		err = writeDurably(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
	}
	if err != nil {
		return false, fmt.Errorf("cannot make the certificate: %w", err)
	}
	return true, nil
}

// readPair reads a certificate and its key, which is nil when it is of another kind
// than the server makes.
func readPair(cert, key string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, nil, err
	}
	signer, _ := pair.PrivateKey.(*ecdsa.PrivateKey)
	if signer == nil && slices.Equal(pair.Leaf.Subject.Organization, []string{selfMade}) {
		return nil, nil, errors.New("the key is of another kind than the server makes")
	}
	return pair.Leaf, signer, nil
}

func makeCertificate(now time.Time, key *ecdsa.PrivateKey, hosts []string) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	hosts = append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, name)
	}
	c := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "wadi", Organization: []string{selfMade}},
		// An hour for clocks that are behind.
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(0, 0, certDays-1),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else if !slices.Contains(c.DNSNames, h) {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	return x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
}

// writeDurably makes or replaces a file in one step.
func writeDurably(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
