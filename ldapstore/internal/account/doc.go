// Package account reads a directory entry the way Parvis understands it: which
// attributes make a person, and whether their account may be used. It decides
// nothing about passwords. Both directories use it, so that both say the same.
package account
