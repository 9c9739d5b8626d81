package conformance

import (
	"fmt"
	"strings"
)

// Report is a table of the results, in Markdown that is aligned to be read as
// it is: one line a statement, in the order of [Rows].
func Report(results []Result) string {
	lines := [][]string{{"id", "what is held", "section", "verdict"}}
	for _, row := range Rows() {
		for _, r := range results {
			if r.ID == row.ID {
				lines = append(lines, []string{r.ID, r.Holds, row.Section, r.verdict()})
			}
		}
	}
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(&b, "| %s%s ", cell, strings.Repeat(" ", widths[i]-len([]rune(cell))))
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				b.WriteString("|" + strings.Repeat("-", width+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String() + "\n" + summary(results)
}

func (r Result) verdict() string {
	if r.Reason != "" {
		return string(r.Verdict) + ": " + r.Reason
	}
	return string(r.Verdict)
}

// summary counts rows: one is held when all that was asked of it is, and not
// tested when nothing was.
func summary(results []Result) string {
	counts, rows := map[Verdict]int{}, map[Verdict]int{}
	for _, row := range Rows() {
		verdict := NotTested
		for _, r := range results {
			if r.ID != row.ID {
				continue
			}
			counts[r.Verdict]++
			if r.Verdict == Failed || r.Verdict == Held && verdict == NotTested {
				verdict = r.Verdict
			}
		}
		rows[verdict]++
	}
	return fmt.Sprintf("%d rules: %d held, %d failed, %d not tested. %d statements: %d held, %d failed, %d not tested.\n",
		len(Rows()), rows[Held], rows[Failed], rows[NotTested], len(results), counts[Held], counts[Failed], counts[NotTested])
}
