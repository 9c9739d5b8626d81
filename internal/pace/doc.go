// Package pace makes refused logins last alike, so that a stopwatch does not
// tell a login that nobody has from a wrong password, nor a password of one
// hash from that of another.
//
// It learns from what the directory takes, for people and for nobody, and
// levels refusals to the slower of the two. Who waits must hold nothing that
// others wait for: cas levels after it has left the gate. The package knows
// neither logins nor passwords.
package pace
