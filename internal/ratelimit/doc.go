// Package ratelimit slows down whoever guesses passwords, and not the person
// whose password is guessed.
//
// A [Limiter] counts failures, and only failures, in buckets that leak (the
// generic cell rate algorithm): one for the account tried from one address,
// one for the address whatever the account, since a guesser may try one
// password on everybody, and a large slow one for the account from anywhere,
// since a guesser may have many addresses. A browser that has proven an
// account before has a bucket of its own for it, which no stranger can fill:
// nobody is locked out of their own machine by others.
//
// An attempt is counted before its password is looked at, and given back
// afterwards where it was no failure: of any number of attempts at once,
// exactly as many as the limit says get through.
//
// A person has several names to log in with. Each name has counts of its own,
// whose refusal shows; the person has another, under all names, whose refusal
// looks like a wrong password. If it showed, it would tell which names belong
// to one person, and that there is such a person.
//
// A [Gate] bounds how many passwords are checked at once. Take belongs inside
// the gate: what the right passwords of a crowd behind one address hold for a
// moment is then no more than the gate's width, on each node.
//
//	leave, err := gate.Enter(ctx)
//	…
//	defer leave()
//	hold, retry, err := limiter.Take(ctx, attempt)
//	… refuse, or ask the directory; then Also, and Forgive or Return
//
// Names of buckets are keyed pseudonyms: a copy of the store tells neither
// who tried to log in nor from where. The package never learns passwords, and
// never decides what a refusal looks like. cas and account call it.
package ratelimit
