package tickets

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a key's secret, in bytes.
const KeySize = 32

// maxKeyID bounds the name of a key, which every sealed value repeats.
const maxKeyID = 32

// sealVersion is the first byte of a sealed value.
const sealVersion = 1

// ErrSeal tells that a value was not sealed by a key of this ring, or not for
// this purpose, or not for this place, or was altered since. It never tells
// which: an attacker would learn from it.
var ErrSeal = errors.New("sealed value cannot be opened")

// Key is a secret of the installation.
type Key struct {
	// ID names the key in what it seals: 1 to 32 characters among letters,
	// digits, ".", "_" and "-". It is no secret.
	ID string
	// Secret is exactly [KeySize] random bytes.
	Secret []byte
}

// String shows the name of the key and keeps its secret.
func (k Key) String() string { return "key " + k.ID }

// GoString shows the name of the key and keeps its secret.
func (k Key) GoString() string { return "tickets.Key{ID: " + k.ID + "}" }

// LogValue shows the name of the key and keeps its secret.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.ID) }

// Keyring seals values and makes pseudonyms. Its first key seals, all of them
// open. To change keys without ending sessions, add the new key last on every
// node, then move it to the front on every node, then, once what the old key
// sealed has expired, take the old key away.
//
// Secrets are never used as they are: each purpose has keys of its own,
// derived by HKDF, so that a value sealed for one purpose means nothing to
// another. Purposes are constants of the code, never input: they are kept in
// memory. A Keyring is safe for concurrent use.
type Keyring struct {
	keys []Key

	mu       sync.RWMutex
	purposes map[string][]subkey
}

// subkey is what one key is for one purpose.
type subkey struct {
	id   string
	aead cipher.AEAD
	// macs are keyed hashes that nobody uses: keying one costs as much as the
	// hash of a name.
	macs *sync.Pool
}

// NewKeyring returns a ring of keys, the sealing key first. It refuses keys
// that are missing, not of [KeySize] bytes, given twice, or plainly not random.
func NewKeyring(keys ...Key) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("check keys: none given")
	}
	ring := &Keyring{purposes: make(map[string][]subkey)}
	for i, key := range keys {
		if err := check(key); err != nil {
			return nil, fmt.Errorf("check key %d: %w", i+1, err)
		}
		for _, other := range ring.keys {
			if other.ID == key.ID {
				return nil, fmt.Errorf("check key %d: name %q given twice", i+1, key.ID)
			}
			if hmac.Equal(other.Secret, key.Secret) {
				return nil, fmt.Errorf("check key %d: same secret as key %q", i+1, other.ID)
			}
		}
		ring.keys = append(ring.keys, Key{ID: key.ID, Secret: slices.Clone(key.Secret)})
	}
	return ring, nil
}

func check(key Key) error {
	const distinctBytes = 8
	if key.ID == "" || len(key.ID) > maxKeyID {
		return fmt.Errorf("name of %d characters, want 1 to %d", len(key.ID), maxKeyID)
	}
	for _, c := range []byte(key.ID) {
		if c != '.' && c != '_' && c != '-' && !alphanumeric(string(c)) {
			return fmt.Errorf("name %q has more than letters, digits, '.', '_' and '-'", key.ID)
		}
	}
	if len(key.Secret) != KeySize {
		return fmt.Errorf("secret of %d bytes, want %d", len(key.Secret), KeySize)
	}
	seen := make(map[byte]struct{}, KeySize)
	for _, b := range key.Secret {
		seen[b] = struct{}{}
	}
	if len(seen) < distinctBytes {
		return errors.New("secret repeats itself: draw it at random")
	}
	return nil
}

// Seal encrypts and authenticates plain. The sealed value opens only for the
// same purpose and the same bound bytes, which tell where it belongs: the key
// it is stored under, the cookie it travels in. Sealing the same bytes twice
// gives two different values.
func (k *Keyring) Seal(purpose string, plain, bound []byte) []byte {
	key := k.subkeys(purpose)[0]
	header := 2 + len(key.id)
	start := header + chacha20poly1305.NonceSizeX
	out := make([]byte, start, start+len(plain)+chacha20poly1305.Overhead)
	out[0], out[1] = sealVersion, byte(len(key.id))
	copy(out[2:], key.id)
	_, _ = rand.Read(out[header:start]) // crypto/rand never fails: it ends the process.
	return key.aead.Seal(out, out[header:start], plain, associated(out[:header], bound))
}

// Open returns what was sealed for the same purpose and bound bytes by any key
// of the ring, or [ErrSeal].
func (k *Keyring) Open(purpose string, sealed, bound []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != sealVersion {
		return nil, ErrSeal
	}
	header := 2 + int(sealed[1])
	start := header + chacha20poly1305.NonceSizeX
	if len(sealed) < start+chacha20poly1305.Overhead {
		return nil, ErrSeal
	}
	for _, key := range k.subkeys(purpose) {
		if key.id != string(sealed[2:header]) {
			continue
		}
		plain, err := key.aead.Open(nil, sealed[header:start], sealed[start:], associated(sealed[:header], bound))
		if err != nil {
			return nil, ErrSeal
		}
		return plain, nil
	}
	return nil, ErrSeal
}

// Pseudonym stands for value where value must not be read or guessed: a
// database key, a log line. The same value always has the same pseudonym for a
// purpose, as long as the first key is the same; it is 22 characters of
// [A-Za-z0-9_-].
func (k *Keyring) Pseudonym(purpose, value string) string {
	return k.subkeys(purpose)[0].pseudonym(value)
}

// Pseudonyms returns the pseudonym of value under each key of the ring, that
// of the sealing key first: where to look for what was stored while another
// key came first.
func (k *Keyring) Pseudonyms(purpose, value string) []string {
	subkeys := k.subkeys(purpose)
	names := make([]string, len(subkeys))
	for i, key := range subkeys {
		names[i] = key.pseudonym(value)
	}
	return names
}

func (s subkey) pseudonym(value string) string {
	const length = 16
	mac := s.macs.Get().(hash.Hash) //nolint:errcheck // the pool holds nothing else
	defer s.macs.Put(mac)
	mac.Reset()
	_, _ = io.WriteString(mac, value) // a hash takes all it is given
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(mac.Sum(sum[:0])[:length])
}

// associated is what a sealed value is authenticated with besides its bytes.
// The header tells its own length, so that the two parts cannot be confused.
func associated(header, bound []byte) []byte {
	return append(append(make([]byte, 0, len(header)+len(bound)), header...), bound...)
}

func (k *Keyring) subkeys(purpose string) []subkey {
	k.mu.RLock()
	subkeys, ok := k.purposes[purpose]
	k.mu.RUnlock()
	if ok {
		return subkeys
	}
	subkeys = make([]subkey, len(k.keys))
	for i, key := range k.keys {
		subkeys[i] = derive(key, purpose)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.purposes[purpose] = subkeys
	return subkeys
}

// derive makes the keys of a purpose. Lengths are fixed and right, which is
// all that HKDF and the cipher could complain about.
func derive(key Key, purpose string) subkey {
	seal, err := hkdf.Key(sha256.New, key.Secret, nil, "parvis seal "+purpose, KeySize)
	if err != nil {
		panic(fmt.Sprintf("derive a sealing key: %v", err))
	}
	mac, err := hkdf.Key(sha256.New, key.Secret, nil, "parvis pseudonym "+purpose, KeySize)
	if err != nil {
		panic(fmt.Sprintf("derive a pseudonym key: %v", err))
	}
	// XChaCha20-Poly1305: its nonce is long enough to be drawn at random for
	// as many values as a key will ever seal.
	aead, err := chacha20poly1305.NewX(seal)
	if err != nil {
		panic(fmt.Sprintf("make a cipher: %v", err))
	}
	return subkey{id: key.ID, aead: aead, macs: &sync.Pool{New: func() any { return hmac.New(sha256.New, mac) }}}
}
