package conformance

import "fmt"

// Rows lists the rules, in the order of the report. Those of the matrix of
// Parvis's requirements keep their ids (G, L, O, V, P, R); SLO is single logout,
// A attributes, SAML the endpoint of that name, T tickets and cookies.
func Rows() []Row {
	var rows []Row
	add := func(section, prefix string, first, last int) {
		for i := first; i <= last; i++ {
			rows = append(rows, Row{fmt.Sprintf("%s%d", prefix, i), section})
		}
	}
	add("2", "G", 1, 3)
	add("3.7", "G", 4, 4)
	add("", "G", 5, 8)
	add("2.1", "L", 1, 6)
	add("2.1.1", "L", 7, 15)
	add("3.6", "L", 16, 16)
	add("2.1.4", "L", 17, 17)
	add("", "L", 18, 18)
	add("2.1.1", "L", 19, 19)
	add("2.2.4", "L", 30, 33)
	add("3.5", "L", 34, 34)
	add("2.2.1", "L", 35, 35)
	add("4.1", "L", 36, 36)
	add("", "L", 37, 42)
	add("2.3", "O", 1, 8)
	add("2.3.3", "SLO", 1, 10)
	add("2.4", "V", 1, 5)
	add("2.5", "V", 10, 29)
	add("2.5.7", "A", 1, 5)
	add("4.1.3", "A", 6, 6)
	add("2.5.7", "A", 7, 7)
	add("2.5.4", "P", 1, 5)
	add("2.7", "P", 6, 10)
	add("2.6", "P", 11, 11)
	add("3.2, 3.3", "P", 12, 13)
	add("4.2", "SAML", 1, 5)
	add("", "R", 1, 9)
	add("3.1", "T", 1, 1)
	add("3.2", "T", 2, 2)
	add("3.3, 3.4", "T", 3, 3)
	add("3.6", "T", 4, 4)
	add("3.5", "T", 5, 5)
	add("3.6", "T", 6, 6)
	add("4.1", "T", 7, 7)
	add("2.2.1", "T", 8, 8)
	add("", "T", 9, 9)
	return rows
}
