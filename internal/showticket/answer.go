package showticket

import (
	"errors"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// answer is what the login server said of a ticket (specification, section
// 2.5): a user with attributes, or a failure with its code.
type answer struct {
	User       string
	Attributes []attribute
	Code       string
	Failure    string
	// XML is the answer itself, indented.
	XML string
}

type attribute struct{ Name, Value string }

func read(body []byte) (answer, error) {
	document := etree.NewDocument()
	if err := document.ReadFromBytes(body); err != nil {
		return answer{}, fmt.Errorf("read the login server's answer: %w", err)
	}
	var a answer
	success := document.FindElement("serviceResponse/authenticationSuccess")
	failure := document.FindElement("serviceResponse/authenticationFailure")
	switch {
	case success != nil:
		if user := success.SelectElement("user"); user != nil {
			a.User = user.Text()
		}
		if attributes := success.SelectElement("attributes"); attributes != nil {
			for _, e := range attributes.ChildElements() {
				a.Attributes = append(a.Attributes, attribute{e.Tag, e.Text()})
			}
		}
	case failure != nil:
		a.Code = failure.SelectAttrValue("code", "")
		a.Failure = strings.TrimSpace(failure.Text())
	default:
		return answer{}, errors.New("the login server's answer is neither a success nor a failure")
	}
	document.Indent(2)
	text, err := document.WriteToString()
	if err != nil {
		return answer{}, fmt.Errorf("write the answer again: %w", err)
	}
	a.XML = strings.TrimSpace(text)
	return a, nil
}
