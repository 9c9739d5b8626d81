package cas

import "fmt"

// Code is a reason for refusing a validation, in the protocol's words
// (specification, section 2.5.3).
type Code string

// The protocol's codes, those that this server answers with.
const (
	InvalidRequest           Code = "INVALID_REQUEST"
	UnauthorizedService      Code = "UNAUTHORIZED_SERVICE"
	UnauthorizedServiceProxy Code = "UNAUTHORIZED_SERVICE_PROXY"
	InvalidProxyCallback     Code = "INVALID_PROXY_CALLBACK"
	InvalidProxyGranting     Code = "INVALID_PROXY_GRANTING_TICKET"
	InvalidTicket            Code = "INVALID_TICKET"
	InvalidService           Code = "INVALID_SERVICE"
	InternalError            Code = "INTERNAL_ERROR"
)

// Refusal is a validation that is answered with a failure. The description is
// for the service's developer and travels in the answer; the cause, if any, is
// for the log alone.
type Refusal struct {
	Code        Code
	Description string
	Cause       error
}

// Error joins what the service is told and what only the log is told.
func (r *Refusal) Error() string {
	if r.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", r.Code, r.Description, r.Cause)
	}
	return fmt.Sprintf("%s: %s", r.Code, r.Description)
}

func refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Description: fmt.Sprintf(format, args...)}
}
