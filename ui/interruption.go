package ui

// Interruption is a page between a login and what the person came for: a charter
// to accept, a notice to read. What it says is another room's: plain text, in
// the language that [Renderer.LanguageFor] tells. Its form posts Hidden, the
// boxes that are ticked, and "later" when that button was used.
type Interruption struct {
	Frame
	// Title is the heading.
	Title string
	// Paragraphs are what there is to read.
	Paragraphs []string
	// Links lead to more, in another tab: the page itself waits for an answer.
	Links []Link
	// Steps name what stands between the login and the service, and Step is
	// which of them this page is, from 1. They are shown where Step is one.
	Steps []string
	Step  int
	// Action is the path the form posts to; BasePath/login when empty.
	Action string
	// Hidden are the fields that bring the login back.
	Hidden []Field
	// Choices are boxes to tick, each with the value "true".
	Choices []Choice
	// Submit is what the main button says: what will happen.
	Submit string
	// Later is what a second button says, such as "Plus tard"; "" for none. It
	// posts the field of the name [LaterField].
	Later string
	// Problem says why the page is shown again, and what to do; "" where it is
	// not.
	Problem string
}

// LaterField is the field, of the value "true", that the second button of an
// [Interruption] posts.
const LaterField = "later"

// Choice is a box to tick.
type Choice struct {
	Name, Label string
	// Optional boxes may stay empty.
	Optional bool
	// Ticked is how it was left. Consent is never ticked beforehand.
	Ticked bool
}

// Link leads somewhere: Address is a path or http(s), or the link is not shown.
type Link struct{ Label, Address string }

// Href is the address when it may be a link, else "".
func (l Link) Href() string { return linkable(l.Address) }

// Page names the template.
func (*Interruption) Page() string { return "interruption" }

// StepName is the name of the current step, "" where there are none.
func (v *Interruption) StepName() string {
	if v.Step < 1 || v.Step > len(v.Steps) {
		return ""
	}
	return v.Steps[v.Step-1]
}

// IsStep tells whether a step, counted from 0, is the current one.
func (v *Interruption) IsStep(i int) bool { return i == v.Step-1 }

// Faulty tells whether a box is the one to correct.
func (v *Interruption) Faulty(c Choice) bool { return v.Problem != "" && !c.Optional && !c.Ticked }
