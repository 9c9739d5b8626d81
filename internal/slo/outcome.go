package slo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"parvis/internal/audit"
	"parvis/internal/safehttp"
	"parvis/tickets"
)

// Reasons of outcomes, besides "status_404" and its like.
const (
	reasonTimeout    = "timeout"     // no answer in time
	reasonRefused    = "refused"     // the host takes no connections
	reasonName       = "name"        // the host's name leads nowhere
	reasonTLS        = "tls"         // the certificate or the handshake is bad
	reasonForbidden  = "forbidden"   // requests may not go there
	reasonConnection = "connection"  // the connection broke
	reasonAddress    = "bad_address" // it is no address
	reasonGivenUp    = "given_up"    // it was not tried in time: its host is down, or too slow
	reasonLost       = "not_queued"  // the queue took no more
)

// judge tells why a try failed, or "", and whether another one may help. A
// redirect is a success: mod_auth_cas ends the session, then sends whoever
// asks to the login.
func judge(status int, err error) (string, bool) {
	if err != nil {
		return judgeSilence(err)
	}
	if status >= http.StatusOK && status < http.StatusBadRequest {
		return "", false
	}
	return "status_" + strconv.Itoa(status), status >= http.StatusInternalServerError
}

func judgeSilence(err error) (string, bool) {
	var (
		network  net.Error
		name     *net.DNSError
		chain    *tls.CertificateVerificationError
		invalid  x509.CertificateInvalidError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		record   tls.RecordHeaderError
		during   *net.OpError
	)
	switch {
	case errors.Is(err, safehttp.ErrForbidden):
		return reasonForbidden, false
	case errors.As(err, &chain), errors.As(err, &invalid), errors.As(err, &unknown), errors.As(err, &hostname),
		errors.As(err, &record), errors.As(err, &during) && during.Op == "remote error": // an alert of TLS
		return reasonTLS, false
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return reasonTimeout, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return reasonRefused, true
	case errors.As(err, &name):
		return reasonName, true
	}
	return reasonConnection, true
}

// ending is an item that has ended, with what the audit trail needs of it.
type ending struct {
	done   Done
	notice Notice
}

func endingOf(j *job, success bool) ending {
	n := j.item.Notice
	reason := j.reason
	if !success && reason == "" {
		reason = reasonGivenUp
	}
	host, _ := hostOf(n.URL)
	return ending{Done{j.item.ID, Outcome{
		At: time.Now().UTC(), Service: n.Service, Host: host, Success: success, Reason: reason, Tries: j.tries,
	}}, n}
}

// finish writes outcomes down, until ended is closed and all are.
func (n *Notifier) finish(late context.Context, ended <-chan ending) {
	var waiting []Done
	flushed := make(chan struct{}, 1)
	busy := false
	for ended != nil || busy || len(waiting) > 0 {
		if !busy && len(waiting) > 0 {
			some := waiting[:min(len(waiting), addSize)]
			waiting = waiting[len(some):]
			busy = true
			go func() { n.flush(late, some); flushed <- struct{}{} }()
		}
		select {
		case e, more := <-ended:
			if !more {
				ended = nil
				continue
			}
			n.record(late, e.notice, e.done.Outcome)
			if len(waiting) < maxTold {
				waiting = append(waiting, e.done)
			}
		case <-flushed:
			busy = false
		}
	}
}

// flush tells the queue what is done. What it cannot be told is sent again.
func (n *Notifier) flush(late context.Context, done []Done) {
	ctx := context.WithoutCancel(late) // what was done at the very end counts
	wait := pause{}
	for {
		err := n.o.Queue.Done(ctx, done)
		if err == nil {
			return
		}
		if wait.first() {
			n.o.Logger.ErrorContext(ctx, "logout requests that are done cannot be removed: they may be sent again", "error", err)
		}
		if !wait.sleep(late) {
			return
		}
	}
}

// lose ends notices that no queue took. Those that cannot be worked out any
// more are only counted.
func (n *Notifier) lose(ctx context.Context, t Telling) {
	n.o.Logger.ErrorContext(ctx, "logout requests lost: too many wait, or the server is stopping", "count", t.Size())
	notices, err := t.Notices(ctx)
	if err != nil {
		return
	}
	for _, notice := range notices {
		n.record(ctx, notice, Outcome{Reason: reasonLost})
	}
}

// record writes the audit line of a notice.
func (n *Notifier) record(ctx context.Context, notice Notice, o Outcome) {
	outcome := audit.Failure
	if o.Success {
		outcome = audit.Success
	}
	n.o.Auditor.Record(ctx, audit.Event{
		Action: audit.LogoutSent, Outcome: outcome, User: notice.Name, Service: notice.URL, Ticket: tickets.TicketID(notice.Ticket).Hint(),
		Request: notice.Request, Reason: o.Reason,
	})
}
