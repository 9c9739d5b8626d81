package cas

import (
	"net/http"

	"parvis/internal/httpx"
	"parvis/services"
	"parvis/tickets"
)

// samlValidate answers SAML 1.1 validations (specification, section 4.2, and
// the "Browser/Artifact" profile of SAML 1.1). The ticket comes as an artifact
// in a SOAP message, the service as TARGET, which some clients call service.
//
// Whatever is wrong with the message is answered as a refusal, with status 200
// and the envelope of a failure: clients read the status code within it, and
// take any other status of HTTP for a breakdown. A ticket that the message
// shows is spent all the same. The media type is not looked at, since clients
// name several and some none; the message itself must be XML in UTF-8.
func (s *Server) samlValidate(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseQuery(r)
	if err != nil {
		return err
	}
	asked, fault := readSAMLRequest(http.MaxBytesReader(w, r.Body, httpx.MaxBody))
	v := validation{
		protocol: services.SAML1,
		service:  samlTarget(p),
		ticket:   tickets.TicketID(asked.artifact),
		renew:    set(p, "renew"),
	}
	switch {
	case fault != nil:
		v.unfit = refuse(InvalidRequest, "The SAML request cannot be read: %s.", clip(fault.Error()))
	case v.service == "":
		v.unfit = refuse(InvalidRequest, "The parameter 'TARGET' is required.")
	}
	answer, refusal := s.validate(r.Context(), v)
	s.recordValidation(r, v, answer, refusal)
	return s.writeSAML(w, asked, v, answer, refusal)
}

// samlTarget is the service's address.
func samlTarget(p httpx.Params) string {
	if target, ok := p.Lookup("TARGET"); ok {
		return target
	}
	return p.Get("service")
}

func (s *Server) writeSAML(w http.ResponseWriter, asked samlRequest, v validation, answer validated, refusal *Refusal) error {
	response := samlResponse{inResponseTo: asked.id, recipient: v.service, issuer: s.issuer, issued: s.now()}
	var err error
	if response.id, err = samlID(s.random); err != nil {
		return err
	}
	pooled := s.buffers.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	defer s.buffers.Put(pooled)
	buffer := (*pooled)[:0]
	if refusal != nil {
		buffer = response.appendFailure(buffer, refusal.Description)
	} else {
		if response.assertionID, err = samlID(s.random); err != nil {
			return err
		}
		buffer = response.appendSuccess(buffer, answer.assert(), answer.session.AuthTime)
	}
	writeAnswer(w, "text/xml; charset=utf-8", buffer)
	*pooled = buffer
	return nil
}
