package ldif_test

import (
	"testing"

	"parvis/ldapstore/directorytest"
	"parvis/ldapstore/ldif"
)

var update = directorytest.UpdateFlag()

func TestContract(t *testing.T) {
	directory, err := ldif.New(directorytest.People(), ldif.Options{})
	if err != nil {
		t.Fatalf("read the people: %v", err)
	}
	directorytest.Run(t, directory, update)
}
