// Package memory is the ticket store of a single process: the embedded
// default, when no Redis is configured. Everything is lost when the process
// ends.
//
// A session and its tickets live in one of 64 shards, chosen by their slot tag
// and guarded by one lock. Sessions are kept as records (see
// [tickets.AppendSession]), so that a hundred thousand fit in some tens of
// megabytes and give the garbage collector little to follow. What has expired
// is refused at once, and its memory taken back by [Store.Run], shard after
// shard: no call does work that grows with the number of sessions, and no
// entry has a timer.
//
// Only cmd makes a Store; the rooms that use it see the contract.
package memory
