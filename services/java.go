package services

import (
	"regexp"
	"strings"
)

// translation is a Java regular expression as RE2 takes it. RE2 runs in linear
// time, and so lacks what needs more.
type translation struct {
	// exact means the same as the Java expression, unless problem is set.
	exact string
	// relaxed matches all that the Java expression matches, and more when
	// problem is set: conditions that RE2 lacks are left out.
	relaxed string
	// readable is relaxed as Java writes it.
	readable string
	// problem says what RE2 cannot do, or "".
	problem string
	// unsure means that relaxed cannot be trusted either.
	unsure bool
}

// posixClasses are Java's \p{…} names, ASCII only there as here.
var posixClasses = map[string]string{
	"Lower": "lower", "Upper": "upper", "ASCII": "ascii", "Alpha": "alpha", "Digit": "digit",
	"Alnum": "alnum", "Punct": "punct", "Graph": "graph", "Print": "print", "Blank": "blank",
	"Cntrl": "cntrl", "XDigit": "xdigit", "Space": "space",
}

var quantifier = regexp.MustCompile(`^\{\d+(,\d*)?\}`)

// anyText stands for what cannot be said.
const anyText, anyRune = `(?s:.*)`, `(?s:.)`

// translate rewrites what the two dialects write differently, and reports what
// only Java has.
func translate(expr string) translation {
	s := &javaScanner{in: expr}
	for s.at < len(s.in) {
		s.step()
	}
	return translation{exact: s.exact.String(), relaxed: s.relaxed.String(), readable: s.readable.String(), problem: s.problem, unsure: s.unsure}
}

type javaScanner struct {
	in      string
	at      int
	exact   strings.Builder
	relaxed strings.Builder
	// readable is relaxed in Java's words.
	readable strings.Builder
	problem  string
	unsure   bool
}

// both writes what means the same in the two dialects.
func (s *javaScanner) both(text string) { s.translated(text, text) }

// translated writes what the two dialects write differently.
func (s *javaScanner) translated(text, java string) {
	s.exact.WriteString(text)
	s.relaxed.WriteString(text)
	s.readable.WriteString(java)
}

func (s *javaScanner) lacks(what, instead string) {
	if s.problem == "" {
		s.problem = what + " cannot be used here"
	}
	s.relaxed.WriteString(instead)
	s.readable.WriteString(instead)
}

func (s *javaScanner) step() {
	rest := s.in[s.at:]
	switch c := rest[0]; {
	case c == '\\':
		s.escape(rest)
	case c == '[':
		s.class(rest)
	case c == '(':
		s.group(rest)
	case c == '*' || c == '+' || c == '?':
		s.quantifier(rest, 1)
	case c == '{' && quantifier.MatchString(rest):
		s.quantifier(rest, strings.IndexByte(rest, '}')+1)
	default:
		s.both(rest[:1])
		s.at++
	}
}

func (s *javaScanner) quantifier(rest string, size int) {
	s.both(rest[:size])
	s.at += size
	if len(rest) > size && rest[size] == '+' {
		s.lacks("a possessive quantifier", "")
		s.at++
	} else if len(rest) > size && rest[size] == '?' {
		s.both("?")
		s.at++
	}
}

// escape takes one escape outside a class.
func (s *javaScanner) escape(rest string) {
	if len(rest) < 2 {
		s.both(rest)
		s.at += len(rest)
		return
	}
	size := 2
	switch c := rest[1]; {
	case c == 'Q':
		quoted, _, closed := strings.Cut(rest[2:], `\E`)
		s.both(regexp.QuoteMeta(quoted))
		size += len(quoted)
		if closed {
			size += 2
		}
	case c == 'E':
	case c >= '1' && c <= '9':
		s.lacks("a back-reference", anyText)
	case c == 'k':
		s.lacks("a back-reference", anyText)
		size = max(size, strings.IndexByte(rest, '>')+1)
	case c == 'Z':
		s.both(`\z`)
	case c == 'G':
		s.lacks(`\G`, "")
	case strings.ContainsRune("hHvVRXNce0", rune(c)):
		s.lacks(rest[:2], anyText)
		if c == 'c' || c == '0' {
			s.unsure = true
		}
	case c == 'u' || c == 'p' || c == 'P':
		text, n, ok := wordEscape(rest, false)
		size = n
		if ok {
			s.translated(text, rest[:n])
		} else {
			s.lacks(rest[:n], anyRune)
		}
	default:
		s.both(rest[:2])
	}
	s.at += size
}

// wordEscape translates \u0041 and \p{Name}, and returns how many bytes it took.
func wordEscape(rest string, inClass bool) (string, int, bool) {
	if rest[1] == 'u' {
		if len(rest) < 6 || strings.Trim(rest[2:6], "0123456789abcdefABCDEF") != "" {
			return "", 2, false
		}
		return `\x{` + rest[2:6] + `}`, 6, true
	}
	end := strings.IndexByte(rest, '}')
	if len(rest) < 3 || rest[2] != '{' || end < 0 {
		return rest[:2], 2, true
	}
	name, size := rest[3:end], end+1
	if posix, ok := posixClasses[name]; ok {
		text := "[:" + posix + ":]"
		if rest[1] == 'P' {
			text = "[:^" + posix + ":]"
		}
		if !inClass {
			text = "[" + text + "]"
		}
		return text, size, true
	}
	_, err := regexp.Compile(rest[:size])
	return rest[:size], size, err == nil
}

// class takes a bracketed class. Java nests and intersects them; RE2 would
// read the same text as something else.
func (s *javaScanner) class(rest string) {
	var text strings.Builder
	problem := ""
	depth, i := 0, 0
	for i < len(rest) {
		c := rest[i]
		switch {
		case c == '\\' && i+1 < len(rest):
			n := 2
			switch e := rest[i+1]; {
			case e == 'u' || e == 'p' || e == 'P':
				translated, size, ok := wordEscape(rest[i:], true)
				n = size
				if !ok {
					problem = rest[i : i+n]
				}
				text.WriteString(translated)
			case strings.ContainsRune("QEhHvVRXNce0", rune(e)):
				problem = rest[i:i+2] + " inside a class"
			default:
				text.WriteString(rest[i : i+2])
			}
			i += n
			continue
		case c == '[':
			if depth > 0 {
				problem = "a class inside a class"
			}
			depth++
		case c == '&' && strings.HasPrefix(rest[i:], "&&"):
			problem = "an intersection of classes"
		case c == ']' && text.String() != "[" && text.String() != "[^":
			depth--
		}
		text.WriteByte(c)
		i++
		if depth == 0 {
			break
		}
	}
	if problem != "" {
		s.lacks(problem, anyRune)
		// Where a nested class ends depends on what Java makes of it.
		s.unsure = s.unsure || strings.Contains(problem, `\Q`) || strings.Contains(problem, `\E`) || depth != 0
	} else {
		s.translated(text.String(), rest[:i])
	}
	s.at += i
}

// group takes the opening of a group, or a whole look-around.
func (s *javaScanner) group(rest string) {
	switch {
	case !strings.HasPrefix(rest, "(?"):
		s.both("(")
		s.at++
	case hasAnyPrefix(rest, "(?=", "(?!", "(?<=", "(?<!"):
		s.lacks("a look-ahead or look-behind", "(?:)")
		s.at += groupEnd(rest)
	case strings.HasPrefix(rest, "(?>"):
		s.lacks("an atomic group", "(?:")
		s.at += 3
	case strings.HasPrefix(rest, "(?<"):
		s.both("(?<")
		s.at += 3
	default:
		end := strings.IndexAny(rest, ":)")
		if end < 0 {
			s.both(rest)
			s.at += len(rest)
			return
		}
		flags := rest[2:end]
		if strings.ContainsAny(flags, "xU") {
			s.lacks("the flag (?"+flags+")", "")
			s.unsure = true
		}
		// RE2 folds case beyond ASCII anyway, and no service holds a line end.
		flags = strings.NewReplacer("u", "", "d", "").Replace(flags)
		if flags == "" && rest[end] == ')' {
			s.both("(?:)")
		} else {
			s.both("(?" + flags + rest[end:end+1])
		}
		s.at += end + 1
	}
}

// groupEnd returns how many bytes the group that text starts with takes.
func groupEnd(text string) int {
	depth, class := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '[':
			class++
		case c == ']' && class > 0:
			class--
		case class > 0:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
