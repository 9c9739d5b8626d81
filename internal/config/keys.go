package config

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// Keys are sealing keys: 32 random bytes each, written in base64 or in
// hexadecimal.
type Keys []Secret

// knownKeys are the example keys of well-known documents, in hexadecimal. What
// anybody can read seals nothing.
var knownKeys = []string{
	"1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0", // RFC 8439, appendix A.5
	"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", // NIST SP 800-38A
}

// Bytes returns the keys decoded. The keys must have passed validation.
func (k Keys) Bytes() [][]byte {
	out := make([][]byte, 0, len(k))
	for _, key := range k {
		if raw, err := decodeKey(key); err == nil {
			out = append(out, raw)
		}
	}
	return out
}

// faults tells what is wrong with the keys.
func (k Keys) faults() []string {
	const draw = "draw a new one with `openssl rand -base64 32`"
	if len(k) == 0 {
		return []string{"there is no key, and no default: " + draw + " and give it here or in keys_file"}
	}
	var out []string
	if len(k) > 2 {
		out = append(out, "more than two keys: keep the one that seals and the one before it")
	}
	seen := map[string]int{}
	for i, key := range k {
		raw, err := decodeKey(key)
		if err == nil {
			err = random(raw)
		}
		if err != nil {
			out = append(out, fmt.Sprintf("key %d %v: %s", i+1, err, draw))
			continue
		}
		if first, ok := seen[string(raw)]; ok {
			out = append(out, fmt.Sprintf("key %d is key %d again: %s", i+1, first, draw))
		}
		seen[string(raw)] = i + 1
	}
	return out
}

func decodeKey(key Secret) ([]byte, error) {
	text := strings.TrimSpace(key.Reveal())
	if len(text) == hex.EncodedLen(KeySize) {
		if raw, err := hex.DecodeString(text); err == nil {
			return raw, nil
		}
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("is neither base64 nor hexadecimal")
	}
	if len(raw) != KeySize {
		return nil, fmt.Errorf("is %d bytes long instead of %d", len(raw), KeySize)
	}
	return raw, nil
}

// random refuses what no random generator ever gives: 32 bytes with few
// different values, a regular series, plain text, or a published example.
func random(raw []byte) error {
	distinct := map[byte]bool{}
	printable, regular := true, true
	for i, b := range raw {
		distinct[b] = true
		printable = printable && b >= ' ' && b <= '~'
		regular = regular && (i < 2 || raw[i]-raw[i-1] == raw[1]-raw[0])
	}
	const fewest = 16 // 32 random bytes have about 30, and fewer than 16 never
	switch {
	case len(distinct) < fewest, regular:
		return errors.New("repeats itself")
	case printable:
		return errors.New("was typed, not drawn")
	}
	for _, known := range knownKeys {
		if example, err := hex.DecodeString(known); err == nil && bytes.Equal(example, raw) {
			return errors.New("is the published example of a document")
		}
	}
	return nil
}
