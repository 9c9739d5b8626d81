package redis

import (
	"crypto/sha256"
	"encoding/base64"

	"parvis/tickets"
)

// hashLength is the length of a hash in a key.
const hashLength = 43

// hash stands for an identifier in a key. Identifiers are long and random, so
// that a plain hash cannot be turned back.
func hash(identifier string) string {
	sum := sha256.Sum256([]byte(identifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// secret stands for a whole ticket-granting ticket beside its session.
func secret(tgt tickets.TGT) []byte {
	sum := sha256.Sum256([]byte(tgt))
	return sum[:]
}

// slot begins the keys of one kind that share the slot tag.
func (s *Store) slot(tag, kind string) string { return s.prefix + "{" + tag + "}" + kind + ":" }

// place is where a session lies: its slot tag, and the hash of its locator.
type place struct{ tag, hash string }

func placeOf(tgt tickets.TGT) place { return place{tgt.Tag(), hash(tgt.Locator())} }

func (s *Store) sessionKey(p place) string { return s.slot(p.tag, "s") + p.hash }

func (s *Store) visitsKey(p place) string { return s.slot(p.tag, "v") + p.hash }

// proxiedKey is where the visits of proxy tickets are, apart from the others.
func (s *Store) proxiedKey(p place) string { return s.slot(p.tag, "w") + p.hash }

// grantingKey is where the proxy-granting tickets of a session are listed.
func (s *Store) grantingKey(p place) string { return s.slot(p.tag, "g") + p.hash }

// leftKeys are where the visits of a closed session wait for their farewell.
func (s *Store) leftKeys(p place) []string {
	return []string{s.slot(p.tag, "l") + p.hash, s.slot(p.tag, "m") + p.hash}
}

func (s *Store) ticketKey(id tickets.TicketID) string {
	return s.slot(id.Tag(), "t") + hash(string(id))
}

// personKeys are the indexes of a person's sessions: the first is written, all
// are read, since one stems from each key of the ring.
func (s *Store) personKeys(uid string) []string {
	return s.pseudonyms("ticket store person", uid, "p")
}

func (s *Store) pseudonyms(purpose, value, kind string) []string {
	keys := s.keys.Pseudonyms(purpose, value)
	for i, name := range keys {
		keys[i] = s.prefix + "{" + name + "}" + kind
	}
	return keys
}
