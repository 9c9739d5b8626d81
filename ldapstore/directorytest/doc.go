// Package directorytest is the contract of a directory as a test suite. Every
// directory runs it over the same people, so that cas and account meet the same
// answers, attribute by attribute, whatever stands behind.
//
// Only tests import it.
package directorytest
