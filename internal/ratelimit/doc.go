// Package ratelimit slows down whoever guesses passwords, and not the person
// whose password is guessed.
//
// A [Limiter] counts failures, and only failures, in three buckets that leak
// (the generic cell rate algorithm): one for the account tried from one
// address, one for the address whatever the account, since a guesser may try
// one password on everybody, and a large slow one for the account from
// anywhere, since a guesser may have many addresses. A browser that has
// proven an account before has a bucket of its own for it, which no stranger
// can fill: nobody is locked out of their own machine by others.
//
// A [Gate] bounds how many passwords are checked at once. The check of the
// limits belongs inside the gate:
//
//	leave, err := gate.Enter(ctx)
//	…
//	defer leave()
//	retry, err := limiter.Check(ctx, attempt)
//	… refuse, or ask the directory, then Fail or Forgive
//
// for then attempts that come all at once pass the limit by no more than the
// gate's width, on each node, instead of all seeing the count before it moves.
//
// Names of buckets are keyed pseudonyms: a copy of the store tells neither
// who tried to log in nor from where. The package never learns passwords, and
// never decides what a refusal looks like. cas and account call it.
package ratelimit
