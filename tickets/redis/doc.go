// Package redis is the ticket store that several nodes share. Any node answers
// any request: nodes keep nothing of their own.
//
// # Layout
//
// A session, its visits and its tickets carry the slot tag of their
// identifiers as a hash tag, and so live in one slot of a Redis Cluster; every
// call is one Lua script on that slot. Names hold the SHA-256 of an identifier,
// never the identifier; a session's name holds that of its locator, so that
// [Store.Renew] changes the secret and moves nothing.
//
//	{tag}s:<hash>   session  hash   k SHA-256 of the whole TGT, v sealed record,
//	                                i idle ms, x absolute limit, e idle limit, b beginning
//	{tag}v:<hash>   visits   list   instant, hash of the ticket, sealed record
//	{tag}w:<hash>   visits   list   the same of proxy tickets
//	{tag}g:<hash>   granting list   limit and hash of each proxy-granting ticket
//	{tag}t:<hash>   ticket   string limit, hash of its session, sealed record;
//	                                before them "*" and 9 digits, how often it
//	                                can still be redeemed, where not once
//	{pseudonym}p    person   zset   instant, tag, hash of a session; scored by its absolute limit
//	{pseudonym}o    token    string limit
//
// The index of a person's sessions has a slot of its own, and so is written
// before the session it lists: a session is never missing from it. Entries
// whose session has ended are dropped when the index is read, and at the
// latest at the session's absolute limit.
//
// Every key has a time to live. That of a proxy-granting ticket, whose life may
// be long, ends with its session's absolute limit, and is set anew by
// [Store.Renew]; the other tickets' is their life. [Store.Close] deletes the
// proxy-granting tickets, of which there are few, [Store.Farewell] the others.
//
// # Promises
//
// Instants are read from Redis inside the scripts: nodes whose clocks disagree
// lengthen no ticket's life. Values are sealed to the name they are stored
// under and names that could be guessed are pseudonyms: who steals a dump
// opens no session and learns no name. Calls have a deadline and are never
// replayed: a call that failed may have been done, and is not done twice.
//
// # Several servers
//
// Behind Sentinels the store follows the master that they name; in a Cluster it
// asks the node that has the slot. Calls under way when a server ends fail, and
// later ones work as soon as its replica is promoted.
//
// Redis tells its replicas after it has answered, and a store cannot change
// that. What a master answered in the moment before it ended may be unknown to
// the replica that follows it: a ticket redeemed in that moment can be redeemed
// once more during the seconds that are left of its life, a session closed in
// it is open again, one opened in it is gone. A master that is cut off from its
// replicas goes on in the same way until it hears of the other. Redis' settings
// min-replicas-to-write 1 and min-replicas-max-lag bound that time, at the price
// of no logins while no replica listens.
//
// Redis must be 6.2 or later. The user needs +@read +@write +@scripting
// +@connection, +time, in a Cluster +cluster|slots, and the keys of the prefix.
//
// Only cmd makes a Store; cas and account see the contract.
package redis
