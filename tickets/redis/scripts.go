package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// The scripts. ARGV[1] is the offset added to the clock, in milliseconds.
// Instants are milliseconds since 1970, but for a session's beginning, in
// microseconds, by which sessions are sorted.
//
// Scripts reach keys that are not declared in KEYS where only a value tells
// them (the session of a ticket, the tickets of a session): they carry the
// same hash tag, which is what a Cluster needs.
var (
	openScript     = newScript(prelude + openSource)
	readScript     = newScript(prelude + readSource)
	renewScript    = newScript(prelude + renewSource)
	grantScript    = newScript(prelude + granting + grantSource)
	allowScript    = newScript(prelude + granting + allowSource)
	redeemScript   = newScript(redeemSource)
	lookupScript   = newScript(prelude + lookupSource)
	closeScript    = newScript(prelude + closeSource)
	farewellScript = newScript(farewellSource)
	visitsScript   = newScript(prelude + visitsSource)
	peekScript     = newScript(prelude + peekSource)
	listScript     = newScript(prelude + listSource)
	peopleScript   = newScript(prelude + peopleSource)
	spendScript    = newScript(prelude + spendSource)
)

// script is a text that Redis runs, and the SHA-1 that it knows it by.
type script struct{ source, sha string }

func newScript(source string) script {
	return script{source, goredis.NewScript(source).Hash()}
}

// loadScripts makes the scripts known to the server of a new connection, so
// that calls need only name them. A server that forgets them, or lets nobody
// load them, is sent the whole script instead.
func loadScripts(ctx context.Context, connection *goredis.Conn) error {
	_, err := connection.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		for _, one := range []script{
			openScript, readScript, renewScript, grantScript, allowScript, redeemScript, lookupScript, closeScript,
			farewellScript, visitsScript, peekScript, listScript, peopleScript, spendScript,
		} {
			pipe.ScriptLoad(ctx, one.source)
		}
		return nil
	})
	if refusal := goredis.Error(nil); err != nil && !errors.As(err, &refusal) {
		return fmt.Errorf("load scripts: %w", err)
	}
	return nil
}

// prelude is what several scripts need. stamp writes an instant in a fixed
// width, which cutInstant reads. live returns the fields of a session that has
// not ended, if secret is nil or its own; begin writes one.
const prelude = `
local clock = redis.call('TIME')
local micros = clock[1] * 1000000 + clock[2] + ARGV[1] * 1000
local now = math.floor(micros / 1000)
local function stamp(instant) return string.format('%014.0f', instant) end
local function live(key, secret)
  local s = redis.call('HMGET', key, 'k', 'v', 'x', 'e', 'i', 'b')
  if not s[1] or secret and s[1] ~= secret then return nil end
  if now >= tonumber(s[3]) or now >= tonumber(s[4]) then return nil end
  return s
end
local function begin(key, secret, sealed, idle, max)
  redis.call('HSET', key, 'k', secret, 'v', sealed, 'i', idle, 'x', stamp(now + max),
    'e', stamp(now + idle), 'b', string.format('%.0f', micros))
  redis.call('PEXPIRE', key, math.min(idle, max))
end
`

// KEYS: session. ARGV: secret, sealed, idle, max.
const openSource = `
begin(KEYS[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
return 1
`

// KEYS: session. ARGV: secret. Answer: sealed.
const readSource = `
local s = live(KEYS[1], ARGV[2])
return s and s[2]
`

// KEYS: session, visits, proxied visits, proxy-granting tickets. ARGV: old
// secret, old sealed, secret, sealed, idle, max, beginning of a ticket's key.
// The old value must still be the one the caller read. Proxy-granting tickets
// were stored for what was left of the session before.
const renewSource = `
local s = live(KEYS[1], ARGV[2])
if not s or s[2] ~= ARGV[3] then return false end
begin(KEYS[1], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
redis.call('PEXPIRE', KEYS[2], math.min(ARGV[6], ARGV[7]))
redis.call('PEXPIRE', KEYS[3], math.min(ARGV[6], ARGV[7]))
for _, entry in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
  redis.call('PEXPIRE', ARGV[8] .. string.sub(entry, 15, 57), math.min(string.sub(entry, 1, 14) - now, ARGV[7]))
end
redis.call('PEXPIRE', KEYS[4], ARGV[7])
return 1
`

// granting is what grants need, whose KEYS begin with session, ticket, and both
// lists of visits. slide begins the session's idle limit anew. enter puts an
// entry, an instant and a ticket's hash, at the end of a list, and deletes the
// tickets of the entries that this pushes out.
const granting = `
local function slide(s)
  local left = math.min(tonumber(s[5]), tonumber(s[3]) - now)
  redis.call('HSET', KEYS[1], 'e', stamp(now + s[5]))
  redis.call('PEXPIRE', KEYS[1], left)
  redis.call('PEXPIRE', KEYS[3], left)
  redis.call('PEXPIRE', KEYS[4], left)
end
local function enter(list, entry, most)
  local beyond = redis.call('RPUSH', list, entry) - most
  if beyond <= 0 then return end
  local tickets = string.sub(KEYS[2], 1, -44)
  for _, old in ipairs(redis.call('LPOP', list, beyond)) do
    redis.call('DEL', tickets .. string.sub(old, 15, 57))
  end
end
`

// KEYS: session, ticket, the visits of this kind of ticket, the others. ARGV:
// secret, lifetime, hash of the session, sealed ticket, hash of the ticket,
// sealed visit, most visits, mark of a ticket of several uses (” for one).
// Answer: sealed session.
const grantSource = `
local s = live(KEYS[1], ARGV[2])
if not s then return false end
enter(KEYS[3], stamp(now) .. ARGV[6] .. ARGV[7], ARGV[8])
slide(s)
if tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[2], ARGV[9] .. stamp(now + ARGV[3]) .. ARGV[4] .. ARGV[5], 'PX', ARGV[3])
end
return s[2]
`

// KEYS: session, ticket, visits, proxied visits, proxy-granting tickets. ARGV:
// secret, lifetime, hash of the session, sealed ticket, hash of the ticket,
// most tickets. Answer: sealed session. The ticket's key goes with the session,
// the ticket's own limit stays what it is: renewSource may need it.
const allowSource = `
local s = live(KEYS[1], ARGV[2])
if not s then return false end
local limit, left = stamp(now + ARGV[3]), tonumber(s[3]) - now
enter(KEYS[5], limit .. ARGV[6], ARGV[7])
redis.call('PEXPIRE', KEYS[5], left)
slide(s)
if tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[2], limit .. ARGV[4] .. ARGV[5], 'PX', math.min(ARGV[3], left))
end
return s[2]
`

// KEYS: ticket. ARGV: beginning of the session's key. Answer: hash of the
// session, sealed ticket, sealed session. It stands without the prelude: it is
// the busiest, and Redis runs one script at a time. A ticket of several uses
// begins with a mark, where others have a number: it is written back, with
// what is left of its uses and of its life.
const redeemSource = `
local t = redis.call('GETDEL', KEYS[1])
if not t then return false end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local limit, uses = tonumber(string.sub(t, 1, 14)), 1
if not limit then
  uses = tonumber(string.sub(t, 2, 10))
  t = string.sub(t, 11)
  limit = tonumber(string.sub(t, 1, 14))
end
if now >= limit then return false end
local place = string.sub(t, 15, 57)
local s = redis.call('HMGET', ARGV[2] .. place, 'v', 'x', 'e')
if not s[1] or now >= tonumber(s[2]) or now >= tonumber(s[3]) then return false end
if uses > 1 then
  redis.call('SET', KEYS[1], string.format('*%09.0f', uses - 1) .. t, 'PX', limit - now)
end
return {place, string.sub(t, 58), s[1]}
`

// KEYS: ticket. ARGV: beginning of the session's key. Answer: hash of the
// session, sealed ticket, sealed session.
const lookupSource = `
local t = redis.call('GET', KEYS[1])
if not t or now >= tonumber(string.sub(t, 1, 14)) then return false end
local place = string.sub(t, 15, 57)
local s = live(ARGV[2] .. place, nil)
return s and {place, string.sub(t, 58), s[2]}
`

// KEYS: session, visits, proxied visits, where both go, proxy-granting tickets.
// ARGV: secret, how long the visits are kept, beginning of a ticket's key.
// Answer: sealed session, number of visits. Tickets without a session are worth
// nothing: those of the visits, which may be many, go with these.
const closeSource = `
local s = live(KEYS[1], ARGV[2])
if not s then return false end
local ended = {KEYS[1], KEYS[6]}
for _, entry in ipairs(redis.call('LRANGE', KEYS[6], 0, -1)) do
  ended[#ended + 1] = ARGV[4] .. string.sub(entry, 15, 57)
end
redis.call('DEL', unpack(ended))
local visits = 0
for i = 2, 3 do
  local some = redis.call('LLEN', KEYS[i])
  if some > 0 then
    visits = visits + some
    redis.call('RENAME', KEYS[i], KEYS[i + 2])
    redis.call('PEXPIRE', KEYS[i + 2], ARGV[3])
  end
end
return {s[2], visits}
`

// KEYS: visits and proxied visits of a closed session. ARGV: beginning of a
// ticket's key. Answer: both.
const farewellSource = `
local visits = {redis.call('LRANGE', KEYS[1], 0, -1), redis.call('LRANGE', KEYS[2], 0, -1)}
local ended = {KEYS[1], KEYS[2]}
for _, list in ipairs(visits) do
  for _, visit in ipairs(list) do
    ended[#ended + 1] = ARGV[2] .. string.sub(visit, 15, 57)
  end
end
redis.call('DEL', unpack(ended))
return visits
`

// KEYS: session, visits, proxied visits. ARGV: secret. Answer: both.
const visitsSource = `
return live(KEYS[1], ARGV[2]) and {redis.call('LRANGE', KEYS[2], 0, -1), redis.call('LRANGE', KEYS[3], 0, -1)}
`

// KEYS: session. Answer: beginning, sealed.
const peekSource = `
local s = live(KEYS[1], nil)
return s and {s[6], s[2]}
`

// KEYS: person. ARGV: tag and hash of the session, max. An entry outlives its
// session's limit by the time that opening the session may take.
const listSource = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], stamp(now + ARGV[3] + 60000), stamp(now) .. ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], last[2] - now)
return 1
`

// KEYS: person. Answer: now, entries.
const peopleSource = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return {now, redis.call('ZRANGE', KEYS[1], 0, -1)}
`

// KEYS: token. ARGV: ttl, 1 at least. Answer: 1 for the first, 0 for others.
const spendSource = `
local limit = redis.call('GET', KEYS[1])
if limit and now < tonumber(limit) then return 0 end
redis.call('SET', KEYS[1], stamp(now + ARGV[2]), 'PX', ARGV[2])
return 1
`
