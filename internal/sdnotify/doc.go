// Package sdnotify tells systemd how the service is: ready, stopping, alive
// (sd_notify(3)). Without systemd it does nothing. It needs no library of
// systemd's: the protocol is one datagram a word.
//
// cmd calls it. It must never hold up a start or a stop.
package sdnotify
