package tickets_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"parvis/tickets"
)

func TestMintedIdentifiers(t *testing.T) { // S1, G4
	m := tickets.NewMinter(nil)
	tgt, err := m.TGT()
	if err != nil || !regexp.MustCompile(`^TGT-[A-Za-z0-9]{60}$`).MatchString(string(tgt)) || !tgt.Valid() {
		t.Fatalf("TGT %q, %v", tgt, err)
	}
	tests := []struct {
		kind tickets.Kind
		form string
	}{
		{tickets.ServiceTicket, `^ST-[A-Za-z0-9]{29}$`},
		{tickets.ProxyTicket, `^PT-[A-Za-z0-9]{29}$`},
		{tickets.ProxyGrantingTicket, `^PGT-[A-Za-z0-9]{60}$`},
	}
	for _, test := range tests {
		t.Run(string(test.kind), func(t *testing.T) {
			id, err := m.Ticket(test.kind, tgt)
			if err != nil || !regexp.MustCompile(test.form).MatchString(string(id)) {
				t.Fatalf("ticket %q, %v", id, err)
			}
			if id.Kind() != test.kind || id.Tag() != tgt.Tag() {
				t.Errorf("kind %q, tag %q, want %q, %q", id.Kind(), id.Tag(), test.kind, tgt.Tag())
			}
			if hint := id.Hint(); len(hint) != 8 || !strings.HasPrefix(string(id), hint) {
				t.Errorf("hint %q", hint)
			}
		})
	}
}

func TestMintedIOU(t *testing.T) { // P4
	m := tickets.NewMinter(nil)
	iou, err := m.PGTIOU()
	if err != nil || !regexp.MustCompile(`^PGTIOU-[A-Za-z0-9]{57}$`).MatchString(iou) {
		t.Fatalf("PGTIOU %q, %v", iou, err)
	}
	if again, err := m.PGTIOU(); err != nil || again == iou {
		t.Errorf("minted twice, %v", err)
	}
	if kind := tickets.TicketID(iou).Kind(); kind != "" {
		t.Errorf("an IOU passes for a %s", kind)
	}
	if iou, err := tickets.NewMinter(iotest.ErrReader(errors.New("no entropy"))).PGTIOU(); err == nil {
		t.Errorf("minted %q without randomness", iou)
	}
}

func TestRotateKeepsTheLocator(t *testing.T) {
	m := tickets.NewMinter(nil)
	old, err := m.TGT()
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := m.Rotate(old)
	if err != nil || renewed == old || renewed.Locator() != old.Locator() || !renewed.Valid() {
		t.Errorf("%q became %q, %v", old, renewed, err)
	}
	if _, err := m.Rotate("TGT-1"); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("rotate a malformed identifier: %v, want ErrNotFound", err)
	}
}

func TestMalformedIdentifiers(t *testing.T) { // S6
	m := tickets.NewMinter(nil)
	tgt, _ := m.TGT()
	st, _ := m.Ticket(tickets.ServiceTicket, tgt)
	for _, id := range []string{"", "ST", "ST-", "-", string(tgt), string(st) + "0", string(st[:31]), "st" + string(st[2:]), string(st[:31]) + "é", string(st[:31]) + "\n", "PGT" + string(st[2:])} {
		if kind := tickets.TicketID(id).Kind(); kind != "" {
			t.Errorf("%q is a %s", id, kind)
		}
		if tag := tickets.TicketID(id).Tag(); tag != "" {
			t.Errorf("%q has tag %s", id, tag)
		}
	}
	if tickets.TGT(st).Valid() {
		t.Error("a service ticket passes for a ticket-granting ticket")
	}
}

func TestMintingWithoutRandomnessFails(t *testing.T) {
	m := tickets.NewMinter(iotest.ErrReader(errors.New("no entropy")))
	if id, err := m.TGT(); err == nil {
		t.Errorf("minted %q", id)
	}
}
